package hostnet

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSpecSurvivesTheDatabase(t *testing.T) {
	s := examplePort()
	s.Server, s.Labels, s.Groups = "web", map[string]string{"a": "b"}, []GroupID{"g"}
	s.Gateway = netip.MustParseAddr("10.0.0.1")
	s.ToContainer = Limit{Rate: Mbit, Burst: 9, MaxQueue: time.Second}
	ids, err := externalIDs(s, 7, "me")
	require.NoError(t, err)
	got, owner, ours, err := parseExternalIDs(ids)
	require.NoError(t, err)
	assert.True(t, ours)
	assert.EqualValues(t, 7, owner)
	assert.Equal(t, s, got)
	assert.True(t, sameWiring(s, got) && sameLimits(s, got) && sameNotes(s, got))
}

func TestRowsOfOtherSoftwareAreNotOurs(t *testing.T) {
	_, _, ours, err := parseExternalIDs(map[string]string{"iface-id": "11111111-2222-3333-4444-555555555555", "vm-id": "x"})
	assert.NoError(t, err)
	assert.False(t, ours)
}

func TestDamagedRowsHoldTheirNumberOnly(t *testing.T) {
	table := readTable([]PortRow{{Name: "x", Request: 0x4000, ExternalIDs: map[string]string{keySpec: "{", keyOwner: "7"}}}, nil, 7)
	assert.Empty(t, table.mine)
	assert.True(t, table.numbers[0x4000])
}

// FuzzParseExternalIDs: anybody with access to the database can write there.
func FuzzParseExternalIDs(f *testing.F) {
	ids, err := externalIDs(examplePort(), 7, "me")
	require.NoError(f, err)
	f.Add(ids[keySpec], "7")
	f.Add(`{"mac":"fa:16:3e:00:00:05","addrs":[""]}`, "65536")
	f.Fuzz(func(t *testing.T, spec, owner string) {
		s, n, ours, err := parseExternalIDs(map[string]string{keySpec: spec, keyOwner: owner})
		if err != nil || !ours {
			return
		}
		again, err := externalIDs(s, n, "me")
		require.NoError(t, err)
		back, m, _, err := parseExternalIDs(again)
		require.NoError(t, err)
		assert.Equal(t, n, m)
		assert.True(t, sameWiring(s, back))
	})
}
