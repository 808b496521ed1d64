package agent

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/hostnet"
	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/settest"
)

func TestAddressBecomesAPort(t *testing.T) {
	a := settest.Assignment("server-1").Addresses[0]
	a.Ingress, a.Egress = 10e6, 5e6
	req := set.AttachRequest{ServerID: "server-1", Sandbox: set.Sandbox{ID: "c1", NetNS: "/proc/7/ns/net"}, Addresses: []set.Address{a}}
	got, err := portSpec(req, 1, a)
	require.NoError(t, err)
	assert.Equal(t, hostnet.PortSpec{
		ID: "server-1/1", Server: "server-1", NetNS: hostnet.NetNS{Path: "/proc/7/ns/net"}, IfName: "eth1",
		MAC: net.HardwareAddr{0xfa, 0x16, 0x3e, 0, 0, 5}, Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.0.5/24")},
		Gateway: netip.MustParseAddr("10.0.0.1"), MTU: 1442, Tenant: 7,
		ToContainer: hostnet.Limit{Rate: 10e6}, FromContainer: hostnet.Limit{Rate: 5e6},
	}, got)
}

func TestAddressWithAMalformedMACIsInvalid(t *testing.T) {
	a := settest.Assignment("server-1").Addresses[0]
	a.MAC = "not a MAC"
	_, err := portSpec(set.AttachRequest{ServerID: "server-1"}, 0, a)
	require.ErrorIs(t, err, set.ErrInvalid)
	assert.Contains(t, err.Error(), "10.0.0.5/24")
}

func file(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
	return name
}

func TestMemoryIsReadInBytes(t *testing.T) {
	n, err := memTotal(file(t, "MemTotal:       16384 kB\nMemFree:  100 kB\n"))
	require.NoError(t, err)
	assert.Equal(t, set.Bytes(16<<20), n)
	for name, path := range map[string]string{
		"no such line": file(t, "MemFree: 100 kB\n"),
		"not a number": file(t, "MemTotal: much kB\n"),
		"no such file": filepath.Join(t.TempDir(), "missing"),
	} {
		_, err := memTotal(path)
		assert.ErrorContains(t, err, "read the machine's memory", name)
	}
}

func TestProcessLimitFallsBackToTheKernelsDefault(t *testing.T) {
	assert.EqualValues(t, 4194304, pidMax(file(t, "4194304\n")))
	assert.EqualValues(t, 32768, pidMax(file(t, "many\n")))
	assert.EqualValues(t, 32768, pidMax(filepath.Join(t.TempDir(), "missing")))
}

func TestMachineHasCapacity(t *testing.T) {
	r, err := MachineCapacity()
	require.NoError(t, err)
	assert.GreaterOrEqual(t, r.CPU, set.MilliCPU(1000))
	assert.Positive(t, r.Memory)
	assert.Positive(t, r.Pids)
}
