package main

import (
	"fmt"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

const (
	cores     = 32 // of a host
	memoryGiB = 128
	slots     = 110 // pods that a kubelet takes when nothing else is said
)

// workload is what to place on what.
type workload struct {
	policy, profile           string
	hosts, racks, sets, batch int
	patience                  time.Duration
	shapes                    []shape
}

type shape struct{ millicores, mebibytes int64 }

func (w *workload) parseShapes(list string) error {
	for _, text := range strings.Split(list, ",") {
		var s shape
		if _, err := fmt.Sscanf(text, "%d:%d", &s.millicores, &s.mebibytes); err != nil || s.millicores < 1 || s.mebibytes < 1 {
			return fmt.Errorf("%q is no shape: write millicores:MiB, such as 1000:2048", text)
		}
		w.shapes = append(w.shapes, s)
	}
	return nil
}

// nodes are ready and empty; the rack is the zone.
func (w *workload) nodes() *v1.NodeList {
	size := v1.ResourceList{
		v1.ResourceCPU:    *resource.NewQuantity(cores, resource.DecimalSI),
		v1.ResourceMemory: *resource.NewQuantity(memoryGiB<<30, resource.BinarySI),
		v1.ResourcePods:   *resource.NewQuantity(slots, resource.DecimalSI),
	}
	var list v1.NodeList
	for i := range w.hosts {
		name := fmt.Sprintf("h%05d", i)
		list.Items = append(list.Items, v1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name), Labels: map[string]string{
				v1.LabelHostname: name, v1.LabelTopologyZone: fmt.Sprintf("r%d", i%w.racks),
			}},
			Status: v1.NodeStatus{
				Capacity: size, Allocatable: size,
				Conditions: []v1.NodeCondition{{Type: v1.NodeReady, Status: v1.ConditionTrue}},
			},
		})
	}
	return &list
}

// pods come job after job, as the queue takes them.
func (w *workload) pods() *v1.PodList {
	var list v1.PodList
	for i := range w.sets {
		list.Items = append(list.Items, w.pod(i))
	}
	return &list
}

func (w *workload) pod(i int) v1.Pod {
	k, name := i/w.batch, fmt.Sprintf("p%06d", i)
	s := w.shapes[k%len(w.shapes)]
	job := map[string]string{"app": fmt.Sprintf("job-%d", k)}
	p := v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: metav1.NamespaceDefault, UID: types.UID(name), Labels: job},
		Spec: v1.PodSpec{SchedulerName: v1.DefaultSchedulerName, Containers: []v1.Container{{
			Name: "app", Image: "app:1", Resources: v1.ResourceRequirements{Requests: v1.ResourceList{
				v1.ResourceCPU:    *resource.NewMilliQuantity(s.millicores, resource.DecimalSI),
				v1.ResourceMemory: *resource.NewQuantity(s.mebibytes<<20, resource.BinarySI),
			}},
		}}},
	}
	same := &metav1.LabelSelector{MatchLabels: job}
	if w.policy != "pack" {
		p.Spec.TopologySpreadConstraints = []v1.TopologySpreadConstraint{{
			MaxSkew: 1, TopologyKey: v1.LabelTopologyZone, WhenUnsatisfiable: v1.DoNotSchedule, LabelSelector: same,
		}}
	}
	if w.policy == "apart" {
		p.Spec.Affinity = &v1.Affinity{PodAntiAffinity: &v1.PodAntiAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: []v1.PodAffinityTerm{{LabelSelector: same, TopologyKey: v1.LabelHostname}},
		}}
	}
	return p
}
