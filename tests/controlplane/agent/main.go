// Command agent is Cilium's BGP control plane without the rest of Cilium's agent: it loads no BPF program and needs no
// container. It reads the CiliumBGPNodeConfig of one node and the Services of the cluster, speaks BGP in the network
// namespace that it runs in, and writes the status of its sessions back, all with the code of Cilium's release.
//
// The node's Node and CiliumNode objects, which the kubelet and the rest of the agent create, must be there already.
package main

import (
	"log/slog"
	"os"

	"github.com/cilium/hive/cell"
	"github.com/cilium/statedb"
	"github.com/spf13/cobra"
	"github.com/spf13/viper"

	daemonk8s "github.com/cilium/cilium/daemon/k8s"
	"github.com/cilium/cilium/pkg/bgp"
	cmtypes "github.com/cilium/cilium/pkg/clustermesh/types"
	"github.com/cilium/cilium/pkg/datapath/tables"
	envoy "github.com/cilium/cilium/pkg/envoy/config"
	"github.com/cilium/cilium/pkg/hive"
	"github.com/cilium/cilium/pkg/k8s/client"
	k8stables "github.com/cilium/cilium/pkg/k8s/tables"
	"github.com/cilium/cilium/pkg/kpr"
	"github.com/cilium/cilium/pkg/lbipamconfig"
	"github.com/cilium/cilium/pkg/loadbalancer"
	"github.com/cilium/cilium/pkg/loadbalancer/reflectors"
	"github.com/cilium/cilium/pkg/loadbalancer/writer"
	"github.com/cilium/cilium/pkg/metrics"
	"github.com/cilium/cilium/pkg/node"
	"github.com/cilium/cilium/pkg/node/types"
	"github.com/cilium/cilium/pkg/nodeipamconfig"
	"github.com/cilium/cilium/pkg/option"
	"github.com/cilium/cilium/pkg/source"
	"github.com/cilium/cilium/pkg/svcrouteconfig"
)

// The cells are those of Cilium's own test of its BGP control plane (pkg/bgp/test/script_test.go), with a real client
// instead of a fake one.
func newHive() *hive.Hive {
	return hive.New(
		metrics.Cell,
		bgp.Cell,
		svcrouteconfig.Cell,
		cell.Provide(
			tables.NewRouteTable,
			tables.NewDeviceTable,
			tables.NewNodeAddressTable,
			statedb.RWTable[*tables.Route].ToTable,
			statedb.RWTable[*tables.Device].ToTable,
			statedb.RWTable[tables.NodeAddress].ToTable,
		),
		client.Cell,
		daemonk8s.ResourcesCell,
		k8stables.TablesCell,
		node.LocalNodeStoreTestCell,
		cell.Config(envoy.SecretSyncConfig{}),
		loadbalancer.ConfigCell,
		writer.Cell,
		reflectors.Cell,
		lbipamconfig.Cell,
		nodeipamconfig.Cell,
		kpr.Cell,
		cell.Provide(
			func() source.Sources { return source.Sources{} },
			func() cmtypes.ClusterInfo { return cmtypes.DefaultClusterInfo },
			daemonConfig,
		),
	)
}

// settings are those of the ConfigMap cilium-config, once main has read them.
var settings *viper.Viper

// daemonConfig reads the settings that the BGP control plane depends on.
func daemonConfig() *option.DaemonConfig {
	option.Config = &option.DaemonConfig{
		EnableBGPControlPlane:             settings.GetBool(option.EnableBGPControlPlane),
		EnableBGPControlPlaneStatusReport: settings.GetBool(option.EnableBGPControlPlaneStatusReport),
		BGPSecretsNamespace:               settings.GetString(option.BGPSecretsNamespace),
		BGPRouterIDAllocationMode:         settings.GetString(option.BGPRouterIDAllocationMode),
		IPAM:                              settings.GetString(option.IPAM),
		EnableIPv4:                        settings.GetBool(option.EnableIPv4Name),
		EnableIPv6:                        settings.GetBool(option.EnableIPv6Name),
	}
	return option.Config
}

func main() {
	h := newHive()
	command := &cobra.Command{
		Use:          "agent --node NAME --config-dir DIR --k8s-kubeconfig-path FILE",
		SilenceUsage: true,
		RunE: func(command *cobra.Command, _ []string) error {
			name, _ := command.Flags().GetString("node")
			folder, _ := command.Flags().GetString("config-dir")
			types.SetName(name)
			data, err := option.ReadDirConfig(slog.Default(), folder)
			if err != nil {
				return err
			}
			settings = h.Viper()
			if err := option.MergeConfig(settings, data); err != nil {
				return err
			}
			return h.Run(slog.Default())
		},
	}
	command.Flags().String("node", "", "name of the node")
	command.Flags().String("config-dir", "", "folder with the data of the ConfigMap cilium-config, a file for each key")
	h.RegisterFlags(command.Flags())
	if command.Execute() != nil {
		os.Exit(1)
	}
}
