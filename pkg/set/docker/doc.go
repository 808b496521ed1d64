// Package docker is the set.Engine on a Docker Engine (API 1.41 and later, so Debian 12's 20.10 too).
//
// A set is one infra container and its members. The infra container runs a program of some hundred bytes,
// has a network namespace that Docker leaves alone (NetworkDisabled), and holds IPC; members join both.
// All of them sit in one parent cgroup, /moset/<server id>, which carries the limits of the set, and all
// carry labels that name server, generation, epoch and SpecHash. Names are deterministic, so that a create
// cut off half-way is found and adopted by the next try.
//
// Restart policies are never used: the Manager restarts, in order and with back-off. Volumes are directories
// under Config.Root, writable for every user (mode 1777), gone with the set.
//
// The labels of a container cannot change, so Found.Generation is the generation it was made for; the
// Manager goes by SpecHash. Sandbox.ID changes with every start of the infra container, because each start
// has a new network namespace.
//
// The engine must use the cgroupfs driver; run it with live-restore, or a restart of it stops every set.
package docker
