package main

import (
	"fmt"
	"sync"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/events"
	"k8s.io/klog/v2"
)

// bindings are what the scheduler told the API server that is not there.
type bindings struct {
	mu     sync.Mutex
	hosts  map[string]string // of a pod, by its name
	bound  chan struct{}     // one for each new binding
	failed chan error
}

// newClient lists the workload in its order and keeps bindings; everything else is the fake client's.
func newClient(w workload) (*fake.Clientset, *bindings) {
	b := &bindings{hosts: make(map[string]string, w.sets), bound: make(chan struct{}, w.sets), failed: make(chan error, 1)}
	c := fake.NewSimpleClientset()
	pods, nodes := w.pods(), w.nodes()
	c.PrependReactor("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) { return true, pods, nil })
	c.PrependReactor("list", "nodes", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nodes, nil })
	c.PrependReactor("create", "pods", b.bind)
	c.PrependReactor("patch", "pods", b.refuse)
	return c, b
}

// bind is where a pod would be written with its node.
func (b *bindings) bind(a clienttesting.Action) (bool, runtime.Object, error) {
	binding, ok := a.(clienttesting.CreateAction).GetObject().(*v1.Binding)
	if !ok {
		return false, nil, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if host, had := b.hosts[binding.Name]; had {
		b.fail(fmt.Errorf("pod %s was bound to %s and then to %s", binding.Name, host, binding.Target.Name))
	}
	b.hosts[binding.Name] = binding.Target.Name
	b.bound <- struct{}{}
	return true, binding, nil
}

// refuse is where a pod would be told that it has no node.
func (b *bindings) refuse(a clienttesting.Action) (bool, runtime.Object, error) {
	patch := a.(clienttesting.PatchAction)
	b.fail(fmt.Errorf("pod %s was not placed: %s", patch.GetName(), patch.GetPatch()))
	return true, &v1.Pod{}, nil
}

// fail keeps the first error.
func (b *bindings) fail(err error) {
	select {
	case b.failed <- err:
	default:
	}
}

// silence takes events and writes none.
type silence struct{}

// Eventf writes nothing.
func (silence) Eventf(_, _ runtime.Object, _, _, _, _ string, _ ...any) {}

// WithLogger logs nothing.
func (s silence) WithLogger(klog.Logger) events.EventRecorderLogger { return s }
