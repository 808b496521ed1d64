package set

import (
	"fmt"
	"net"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// The limits of a Spec.
const (
	MaxContainers  = 16
	MaxVolumes     = 32
	MaxMounts      = 64        // of one container
	MaxNameServers = 8         // a resolver reads three of them
	MaxEnvironment = 128 << 10 // bytes of names and values of one container
	MaxArguments   = 128 << 10 // bytes of command and args of one container
	MinMemory      = 16 << 20  // bytes: below it a container does not start
	MaxStopGrace   = Duration(time.Hour)
)

var (
	partName   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)
	serverName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$`)
	labelName  = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._/-]{0,61}[A-Za-z0-9])?$`)
	envName    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
	userName   = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]*)?$`)
	idPattern  = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}$`)
)

func invalid(field, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrInvalid, field, fmt.Sprintf(format, args...))
}

// first returns the first error of a list of checks.
func first(checks ...error) error {
	for _, err := range checks {
		if err != nil {
			return err
		}
	}
	return nil
}

// WithDefaults fills what a Spec left open, but for limits: those are the region's to choose.
func (s Spec) WithDefaults() Spec {
	if s.Kind == "" {
		s.Kind = KindSet
	}
	if s.Fencing == "" {
		s.Fencing = FencingKeep
	}
	s.Containers = slices.Clone(s.Containers)
	for i := range s.Containers {
		if s.Containers[i].Role == "" {
			s.Containers[i].Role = RoleApp
		}
	}
	return s
}

// Validate checks everything that can be known without asking anybody. The error names the field.
func (r CreateRequest) Validate() error {
	switch {
	case !serverName.MatchString(r.Name):
		return invalid("name", "%.80q is not 1 to 63 of a-z, 0-9, \".\" and \"-\", with a letter or digit at both ends", r.Name)
	case len(r.IdempotencyKey) > 255:
		return invalid("Idempotency-Key", "it has %d characters, at most 255 are accepted", len(r.IdempotencyKey))
	case r.Desired != "" && r.Desired != DesiredRunning && r.Desired != DesiredStopped:
		return invalid("desired", "%q is neither running nor stopped", r.Desired)
	}
	return first(validateLabels("labels", r.Labels), r.Spec.Validate(), r.Spec.validateShares())
}

// validateShares refuses a container that asks for more than its set. Only a request is checked for this: the
// region fills in limits of the set that the tenant left open.
func (s Spec) validateShares() error {
	within := func(field, unit string, share, whole int64) error {
		if whole > 0 && share > whole {
			return invalid(field, "%d%s are more than the %d%s of the whole set", share, unit, whole, unit)
		}
		return nil
	}
	for i, c := range s.Containers {
		field := fmt.Sprintf("containers[%d].resources", i)
		if err := first(within(field+".cpu", "m", int64(c.Resources.CPU), int64(s.Resources.CPU)),
			within(field+".memory", " bytes", int64(c.Resources.Memory), int64(s.Resources.Memory)),
			within(field+".pids", " processes", c.Resources.Pids, s.Resources.Pids)); err != nil {
			return err
		}
	}
	return nil
}

// Validate checks an Assignment before it is accepted by a host.
func (a Assignment) Validate() error {
	switch {
	case !idPattern.MatchString(a.ServerID):
		return invalid("server_id", "%.80q is not an id", a.ServerID)
	case !serverName.MatchString(a.Name):
		return invalid("name", "%.80q is not a server name", a.Name)
	case a.Generation == 0:
		return invalid("generation", "it starts at 1")
	case a.Desired != DesiredRunning && a.Desired != DesiredStopped && a.Desired != DesiredSuspended:
		return invalid("desired", "%q is not running, stopped or suspended", a.Desired)
	case a.Grace < 0:
		return invalid("grace", "it cannot be negative")
	}
	if err := a.Spec.Validate(); err != nil {
		return err
	}
	for _, c := range a.Spec.Containers {
		if a.Images[c.Name].Digest == "" {
			return invalid("images."+c.Name, "the container's image has no digest")
		}
	}
	for i, ad := range a.Addresses {
		if err := ad.validate(fmt.Sprintf("addresses[%d]", i)); err != nil {
			return err
		}
	}
	return nil
}

func (a Address) validate(field string) error {
	if _, err := net.ParseMAC(a.MAC); a.MAC != "" && err != nil {
		return invalid(field+".mac", "%.80q is not a hardware address", a.MAC)
	}
	switch {
	case !a.Prefix.IsValid() || a.Segment == 0:
		return invalid(field, "prefix and segment are needed")
	case a.MTU < 0 || a.Ingress < 0 || a.Egress < 0:
		return invalid(field, "mtu, ingress and egress cannot be negative")
	}
	return nil
}

// Validate checks a Spec. The error names the field.
func (s Spec) Validate() error {
	switch {
	case s.Kind != "" && s.Kind != KindSet && s.Kind != KindVM:
		return invalid("kind", "%q is neither set nor vm", s.Kind)
	case len(s.Containers) == 0:
		return invalid("containers", "at least one is needed")
	case len(s.Containers) > MaxContainers:
		return invalid("containers", "there are %d, at most %d are accepted", len(s.Containers), MaxContainers)
	case len(s.Volumes) > MaxVolumes:
		return invalid("volumes", "there are %d, at most %d are accepted", len(s.Volumes), MaxVolumes)
	case len(s.Networks) > 1:
		return invalid("networks", "there are %d, a set has one", len(s.Networks))
	case len(s.DNS) > MaxNameServers:
		return invalid("dns", "there are %d, at most %d are accepted", len(s.DNS), MaxNameServers)
	case s.Fencing != "" && s.Fencing != FencingKeep && s.Fencing != FencingStrict:
		return invalid("fencing", "%q is neither keep nor strict", s.Fencing)
	}
	return first(s.validateVolumes(), s.validateContainers(), s.validateNetworks(),
		validateResources("resources", s.Resources, len(s.Containers)), validateLabels("host_labels", s.HostLabels))
}

func (s Spec) validateVolumes() error {
	seen := map[string]bool{}
	for i, v := range s.Volumes {
		field := fmt.Sprintf("volumes[%d].name", i)
		if !partName.MatchString(v.Name) {
			return invalid(field, "%.80q is not 1 to 40 of a-z, 0-9 and \"-\"", v.Name)
		}
		if seen[v.Name] {
			return invalid(field, "%q is there twice", v.Name)
		}
		seen[v.Name] = true
	}
	return nil
}

func (s Spec) validateNetworks() error {
	for i, n := range s.Networks {
		if n.Ingress < 0 || n.Egress < 0 {
			return invalid(fmt.Sprintf("networks[%d]", i), "a rate cannot be negative")
		}
		if len(n.Network) > 255 || !printable(n.Network) {
			return invalid(fmt.Sprintf("networks[%d].network", i), "%.80q is not a name or id of a network", n.Network)
		}
	}
	for i, d := range s.DNS {
		if !d.IsValid() {
			return invalid(fmt.Sprintf("dns[%d]", i), "it is not an address")
		}
	}
	return nil
}

func (s Spec) validateContainers() error {
	names := map[string]bool{}
	for i, c := range s.Containers {
		field := fmt.Sprintf("containers[%d]", i)
		if err := c.validate(field, s); err != nil {
			return err
		}
		if names[c.Name] {
			return invalid(field+".name", "%q is there twice", c.Name)
		}
		names[c.Name] = true
	}
	return s.validateOrder(names)
}

func (c Container) validate(field string, s Spec) error {
	switch {
	case !partName.MatchString(c.Name):
		return invalid(field+".name", "%.80q is not 1 to 40 of a-z, 0-9 and \"-\"", c.Name)
	case c.Name == string(RoleInfra):
		return invalid(field+".name", "infra is the name of the container that holds the network")
	case c.Role != "" && c.Role != RoleApp && c.Role != RoleSidecar:
		return invalid(field+".role", "%q is neither app nor sidecar", c.Role)
	case c.Image == "" || len(c.Image) > 512 || !printable(c.Image) || strings.ContainsRune(c.Image, ' '):
		return invalid(field+".image", "an image such as project/app:tag is needed")
	case c.WorkingDir != "" && !cleanAbsolute(c.WorkingDir):
		return invalid(field+".working_dir", "%.80q is not an absolute path", c.WorkingDir)
	case c.User != "" && !userName.MatchString(c.User):
		return invalid(field+".user", "%.80q is not user or user:group", c.User)
	case c.StopGrace < 0:
		return invalid(field+".stop_grace", "it cannot be negative")
	case c.StopGrace > MaxStopGrace:
		return invalid(field+".stop_grace", "%v is more than %v: a stop would hold up others on the host", time.Duration(c.StopGrace), time.Duration(MaxStopGrace))
	case len(c.StartAfter) > MaxContainers:
		return invalid(field+".start_after", "there are %d, at most %d are accepted", len(c.StartAfter), MaxContainers)
	}
	return first(c.validateEnv(field), c.validateArguments(field), c.validateMounts(field, s.Volumes), validateResources(field+".resources", c.Resources, 1))
}

func (c Container) validateEnv(field string) error {
	total := 0
	for k, v := range c.Env {
		if !envName.MatchString(k) || strings.ContainsRune(v, 0) {
			return invalid(field+".env", "%.80q is not a variable", k)
		}
		total += len(k) + len(v) + 2
	}
	if total > MaxEnvironment {
		return invalid(field+".env", "it has %d bytes, at most %d are accepted", total, MaxEnvironment)
	}
	return nil
}

func (c Container) validateArguments(field string) error {
	total := 0
	for _, arg := range append(slices.Clone(c.Command), c.Args...) {
		total += len(arg) + 1
		if strings.ContainsRune(arg, 0) {
			return invalid(field+".command", "an argument holds a zero byte")
		}
	}
	if total > MaxArguments {
		return invalid(field+".command", "command and args have %d bytes, at most %d are accepted", total, MaxArguments)
	}
	return nil
}

func (c Container) validateMounts(field string, volumes []Volume) error {
	if len(c.Mounts) > MaxMounts {
		return invalid(field+".mounts", "there are %d, at most %d are accepted", len(c.Mounts), MaxMounts)
	}
	paths := map[string]bool{}
	for i, m := range c.Mounts {
		at := fmt.Sprintf("%s.mounts[%d]", field, i)
		if !slices.Contains(volumes, Volume{Name: m.Volume}) {
			return invalid(at+".volume", "no volume is called %.80q; declared are %s", m.Volume, volumeNames(volumes))
		}
		if !cleanAbsolute(m.Path) || m.Path == "/" {
			return invalid(at+".path", "%.80q is not an absolute path below /", m.Path)
		}
		if paths[m.Path] {
			return invalid(at+".path", "%.80q is mounted twice", m.Path)
		}
		paths[m.Path] = true
	}
	return nil
}

func volumeNames(volumes []Volume) string {
	if len(volumes) == 0 {
		return "none"
	}
	names := make([]string, len(volumes))
	for i, v := range volumes {
		names[i] = v.Name
	}
	return strings.Join(names, ", ")
}

// printable says that a text can stand in a log or a table as it is.
func printable(s string) bool { return !strings.ContainsFunc(s, unicode.IsControl) }

func cleanAbsolute(p string) bool {
	return path.IsAbs(p) && path.Clean(p) == p && !strings.ContainsAny(p, ":\x00\n") && len(p) <= 4096
}

// validateOrder refuses unknown names and circles in StartAfter.
func (s Spec) validateOrder(names map[string]bool) error {
	for i, c := range s.Containers {
		for _, before := range c.StartAfter {
			if !names[before] {
				return invalid(fmt.Sprintf("containers[%d].start_after", i), "no container is called %.80q", before)
			}
		}
	}
	if _, err := StartOrder(s.Containers); err != nil {
		return err
	}
	return nil
}

// StartOrder groups containers into waves: each wave starts together once the one before it runs.
// Errors: ErrInvalid when StartAfter goes in a circle.
func StartOrder(containers []Container) ([][]Container, error) {
	started := map[string]bool{}
	left := slices.Clone(containers)
	var waves [][]Container
	for len(left) > 0 {
		var wave, later []Container
		for _, c := range left {
			if slices.ContainsFunc(c.StartAfter, func(n string) bool { return !started[n] }) {
				later = append(later, c)
				continue
			}
			wave = append(wave, c)
		}
		if len(wave) == 0 {
			return nil, invalid("containers.start_after", "%q waits for itself", left[0].Name)
		}
		for _, c := range wave {
			started[c.Name] = true
		}
		waves, left = append(waves, wave), later
	}
	return waves, nil
}

func validateResources(field string, r Resources, containers int) error {
	least := Bytes(MinMemory * containers)
	switch {
	case r.CPU < 0 || r.Memory < 0 || r.Pids < 0:
		return invalid(field, "a limit cannot be negative")
	case r.CPU > 0 && r.CPU < 10:
		return invalid(field+".cpu", "%dm is less than 10m", r.CPU)
	case r.Memory > 0 && r.Memory < least:
		return invalid(field+".memory", "%d bytes are less than the %d that %d containers need", r.Memory, least, containers)
	}
	return nil
}

func validateLabels(field string, labels map[string]string) error {
	if len(labels) > 64 {
		return invalid(field, "there are %d, at most 64 are accepted", len(labels))
	}
	for k, v := range labels {
		if !labelName.MatchString(k) || len(v) > 255 || !printable(v) {
			return invalid(field, "%.80q is not a label of 1 to 63 letters, digits, \".\", \"_\", \"/\" and \"-\" with a printable value of at most 255 bytes", k)
		}
	}
	return nil
}
