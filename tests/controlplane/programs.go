//go:build tools

// Package controlplane names the programs that `build` builds by their package paths, so that go.mod requires them.
package controlplane

import (
	_ "github.com/cilium/cilium/operator/cmd"
	_ "github.com/k3s-io/helm-controller/pkg/app"
	_ "go.etcd.io/etcd/server/v3/etcdmain"
	_ "helm.sh/helm/v3/cmd/helm"
	_ "k8s.io/kubernetes/cmd/kube-apiserver/app"
)
