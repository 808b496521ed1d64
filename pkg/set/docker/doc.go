// Package docker is the set.Engine on a Docker Engine (API 1.41 and later, so Debian 12's 20.10 too).
//
//	engine, err := docker.New(docker.Config{Root: "/var/lib/moset", HostName: "host-1"})
//	manager, err := set.NewManager(set.ManagerConfig{Engine: engine, …})
//
// A set is one infra container and its members. The infra container runs a program of some hundred bytes,
// has a network namespace that Docker leaves alone (NetworkDisabled), and holds IPC; members join both.
// All of them sit in one parent cgroup, /moset/<server id>, which carries the limits of the set, and all
// carry labels that name server, generation, epoch and SpecHash. Names are deterministic, so that a create
// cut off half-way is found and adopted by the next try; a container of another SpecHash is replaced.
//
// Restart policies are never used: the Manager restarts, in order and with back-off. Volumes are directories
// under Config.Root, made with mode 1777 so that every user of a container can write, out of reach for the
// host's own users, and gone with the set. Members get /etc/hosts and /etc/resolv.conf from files there, and
// the server's name as hostname from the infra container.
//
// Members run with no-new-privileges, Docker's seccomp profile, without the capabilities NET_RAW, MKNOD,
// AUDIT_WRITE and SETFCAP, and under an init. A program that is missing or cannot be executed is an error of
// Start that names it; whatever else a program does after that shows in List.
//
// The labels of a container cannot change, so Found.Generation is the generation it was made for, which is
// an older one after a stop and a start; the Manager goes by SpecHash. Sandbox.ID is the infra container's
// id and the time of its start: each start has a new network namespace and so is a new sandbox.
//
// The engine must run on this host, on x86-64, with the cgroupfs driver; run it with live-restore, or a
// restart of it stops every set. Check says what is not as it should be. There is no pool of infra
// containers made ahead, and nothing here pulls images: ImageIDs must be on the host.
package docker
