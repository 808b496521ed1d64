// Package deps keeps the module list stable while packages are being written.
package deps

import (
	_ "github.com/containerd/errdefs"
	_ "github.com/digitalocean/go-openvswitch/ovs"
	_ "github.com/distribution/reference"
	_ "github.com/docker/docker/client"
	_ "github.com/google/uuid"
	_ "github.com/gophercloud/gophercloud/v2"
	_ "github.com/jedib0t/go-pretty/v6/table"
	_ "github.com/opencontainers/go-digest"
	_ "github.com/opencontainers/image-spec/specs-go/v1"
	_ "github.com/ovn-kubernetes/libovsdb/client"
	_ "github.com/prometheus/client_golang/prometheus/promhttp"
	_ "github.com/safchain/ethtool"
	_ "github.com/spf13/cobra"
	_ "github.com/stretchr/testify/require"
	_ "github.com/vbauerster/mpb/v8"
	_ "github.com/vishvananda/netlink"
	_ "github.com/vishvananda/netns"
	_ "go.uber.org/goleak"
	_ "golang.org/x/sync/singleflight"
	_ "modernc.org/sqlite"
	_ "pgregory.net/rapid"
	_ "sigs.k8s.io/yaml"
)
