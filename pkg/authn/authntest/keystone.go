package authntest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Config is what the box holds at first. With Dir, what was stored there before wins.
type Config struct {
	Users     []User
	Endpoints map[string]string // catalog: service type -> URL
	Region    string            // of every endpoint; default "RegionOne"
	TokenTTL  time.Duration     // default 1h
	Dir       string            // keeps users, application credentials and tokens; "" keeps nothing
	Clock     func() time.Time  // default time.Now
}

// User is a user of domain Default. Projects come into being by being named.
type User struct {
	Name, Password string
	Projects       map[string][]string // project name -> roles
}

// Keystone is the box. Its methods are the knobs of tests.
type Keystone struct {
	cfg  Config
	mux  *http.ServeMux
	file string

	mu      sync.Mutex
	state   state
	down    bool
	latency time.Duration
	calls   int
}

// state is what Dir keeps. Passwords, secrets and tokens are in it as hashes only.
type state struct {
	Users    []*user                `json:"users"`
	Projects []*project             `json:"projects"`
	AppCreds []*appCred             `json:"application_credentials"`
	Tokens   map[string]tokenRecord `json:"tokens"` // by SHA-256 of the token
}

type user struct {
	ID       string              `json:"id"`
	Name     string              `json:"name"`
	Password secret              `json:"password"`
	Roles    map[string][]string `json:"roles"` // project id -> roles
	Disabled bool                `json:"disabled,omitempty"`
}

type project struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// New makes a box.
func New(cfg Config) (*Keystone, error) {
	if cfg.Region == "" {
		cfg.Region = "RegionOne"
	}
	if cfg.TokenTTL == 0 {
		cfg.TokenTTL = time.Hour
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	k := &Keystone{cfg: cfg, state: state{Tokens: map[string]tokenRecord{}}}
	if cfg.Dir != "" {
		k.file = filepath.Join(cfg.Dir, "keystone.json")
		if err := k.load(); err != nil {
			return nil, err
		}
	}
	for _, u := range cfg.Users {
		if err := k.addUser(u); err != nil {
			return nil, err
		}
	}
	k.mux = k.routes()
	return k, k.save()
}

func (k *Keystone) load() error {
	b, err := os.ReadFile(k.file)
	if errors.Is(err, fs.ErrNotExist) {
		return os.MkdirAll(k.cfg.Dir, 0o700)
	}
	if err == nil {
		err = json.Unmarshal(b, &k.state)
	}
	if k.state.Tokens == nil {
		k.state.Tokens = map[string]tokenRecord{}
	}
	if err != nil {
		return fmt.Errorf("keystone box: %s: %w", k.file, err)
	}
	return nil
}

// save writes the state, whole or not at all; k.mu is held or the box is not shared yet.
func (k *Keystone) save() error {
	if k.file == "" {
		return nil
	}
	b, err := json.Marshal(k.state)
	if err != nil {
		return err
	}
	if err := os.WriteFile(k.file+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(k.file+".new", k.file)
}

func (k *Keystone) addUser(u User) error {
	have := k.findUser("", u.Name)
	if have == nil {
		s, err := newSecret(u.Password)
		if err != nil {
			return err
		}
		have = &user{ID: newID(), Name: u.Name, Password: s, Roles: map[string][]string{}}
		k.state.Users = append(k.state.Users, have)
	}
	if have.Roles == nil {
		have.Roles = map[string][]string{}
	}
	for name, roles := range u.Projects {
		p := k.findProject("", name)
		if p == nil {
			p = &project{ID: newID(), Name: name}
			k.state.Projects = append(k.state.Projects, p)
		}
		have.Roles[p.ID] = roles
	}
	return nil
}

func (k *Keystone) findUser(id, name string) *user {
	i := slices.IndexFunc(k.state.Users, func(u *user) bool { return id != "" && u.ID == id || id == "" && u.Name == name })
	if i < 0 {
		return nil
	}
	return k.state.Users[i]
}

func (k *Keystone) findProject(id, name string) *project {
	i := slices.IndexFunc(k.state.Projects, func(p *project) bool { return id != "" && p.ID == id || id == "" && p.Name == name })
	if i < 0 {
		return nil
	}
	return k.state.Projects[i]
}

// ServeHTTP implements http.Handler.
func (k *Keystone) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	k.calls++
	down, latency := k.down, k.latency
	k.mu.Unlock()
	time.Sleep(latency)
	if down {
		fail(w, http.StatusServiceUnavailable, "Service Unavailable")
		return
	}
	w.Header().Set("Vary", "X-Auth-Token")
	k.mux.ServeHTTP(w, r)
}
