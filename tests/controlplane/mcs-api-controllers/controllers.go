// Package controllers has the one constant of sigs.k8s.io/mcs-api/controllers v0.5.2 that Cilium uses. The Go module
// proxy does not serve that module.
package controllers

// DerivedServiceAnnotation names, at a ServiceImport, the service that stands for it in the cluster.
const DerivedServiceAnnotation = "multicluster.kubernetes.io/derived-service"
