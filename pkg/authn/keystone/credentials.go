package keystone

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/config/clouds"
)

// Credentials are what a token is asked with: a password, an application credential, or another token.
// Domains default to "Default" where a name needs one.
type Credentials struct {
	AuthURL                                        string // "http://127.0.0.1:5000/v3"
	UserID, UserName, UserDomainID, UserDomainName string
	Password                                       string
	ProjectID, ProjectName                         string
	ProjectDomainID, ProjectDomainName             string
	ApplicationCredentialID, ApplicationCredential string // the second is its name, which needs a user
	ApplicationCredentialSecret                    string
	Token                                          string
	Region, Interface                              string // of endpoints; default any region, "public"
	TLS                                            *tls.Config
}

// ErrNoCredentials: nothing says which cloud to use.
var ErrNoCredentials = errors.New("no OpenStack credentials: set OS_CLOUD (and have a clouds.yaml) or OS_AUTH_URL, OS_USERNAME, OS_PASSWORD and OS_PROJECT_NAME")

// FromEnv reads the cloud of that name from clouds.yaml (OS_CLIENT_CONFIG_FILE, ., ~/.config/openstack,
// /etc/openstack) or, when cloud is empty, OS_CLOUD or the OS_* variables. Errors: ErrNoCredentials.
func FromEnv(cloud string) (Credentials, error) {
	if cloud == "" {
		cloud = os.Getenv("OS_CLOUD")
	}
	if cloud != "" {
		return fromClouds(cloud)
	}
	c := Credentials{
		AuthURL:                     os.Getenv("OS_AUTH_URL"),
		UserID:                      os.Getenv("OS_USER_ID"),
		UserName:                    os.Getenv("OS_USERNAME"),
		UserDomainID:                os.Getenv("OS_USER_DOMAIN_ID"),
		UserDomainName:              os.Getenv("OS_USER_DOMAIN_NAME"),
		Password:                    os.Getenv("OS_PASSWORD"),
		ProjectID:                   firstOf("OS_PROJECT_ID", "OS_TENANT_ID"),
		ProjectName:                 firstOf("OS_PROJECT_NAME", "OS_TENANT_NAME"),
		ProjectDomainID:             os.Getenv("OS_PROJECT_DOMAIN_ID"),
		ProjectDomainName:           os.Getenv("OS_PROJECT_DOMAIN_NAME"),
		ApplicationCredentialID:     os.Getenv("OS_APPLICATION_CREDENTIAL_ID"),
		ApplicationCredential:       os.Getenv("OS_APPLICATION_CREDENTIAL_NAME"),
		ApplicationCredentialSecret: os.Getenv("OS_APPLICATION_CREDENTIAL_SECRET"),
		Token:                       firstOf("OS_TOKEN", "OS_AUTH_TOKEN"),
		Region:                      os.Getenv("OS_REGION_NAME"),
		Interface:                   os.Getenv("OS_INTERFACE"),
	}
	if c.AuthURL == "" {
		return c, ErrNoCredentials
	}
	var err error
	c.TLS, err = tlsFromEnv()
	return c, err
}

func firstOf(names ...string) string {
	for _, n := range names {
		if v := os.Getenv(n); v != "" {
			return v
		}
	}
	return ""
}

func tlsFromEnv() (*tls.Config, error) {
	file := os.Getenv("OS_CACERT")
	insecure := strings.EqualFold(os.Getenv("OS_INSECURE"), "true") || os.Getenv("OS_INSECURE") == "1"
	if file == "" && !insecure {
		return nil, nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: insecure} //nolint:gosec // the user's own OS_INSECURE
	if file == "" {
		return cfg, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("OS_CACERT: %w", err)
	}
	cfg.RootCAs = x509.NewCertPool()
	if !cfg.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("OS_CACERT: %s holds no certificate", file)
	}
	return cfg, nil
}

func fromClouds(name string) (Credentials, error) {
	auth, endpoint, tlsConfig, err := clouds.Parse(clouds.WithCloudName(name))
	if err != nil {
		return Credentials{}, fmt.Errorf("cloud %q: %w", name, err)
	}
	c := Credentials{
		AuthURL: auth.IdentityEndpoint, UserID: auth.UserID, UserName: auth.Username, Password: auth.Password,
		UserDomainID: auth.DomainID, UserDomainName: auth.DomainName, Token: auth.TokenID,
		ProjectID: auth.TenantID, ProjectName: auth.TenantName,
		ApplicationCredentialID: auth.ApplicationCredentialID, ApplicationCredential: auth.ApplicationCredentialName,
		ApplicationCredentialSecret: auth.ApplicationCredentialSecret,
		Region:                      endpoint.Region, Interface: string(endpoint.Availability), TLS: tlsConfig,
	}
	if s := auth.Scope; s != nil {
		c.ProjectID, c.ProjectName, c.ProjectDomainID, c.ProjectDomainName = s.ProjectID, s.ProjectName, s.DomainID, s.DomainName
	}
	return c, nil
}

// options renders the credentials for gophercloud.
func (c Credentials) options() gophercloud.AuthOptions {
	o := gophercloud.AuthOptions{
		IdentityEndpoint: c.AuthURL, UserID: c.UserID, Username: c.UserName, Password: c.Password, TokenID: c.Token,
		ApplicationCredentialID: c.ApplicationCredentialID, ApplicationCredentialName: c.ApplicationCredential,
		ApplicationCredentialSecret: c.ApplicationCredentialSecret,
		AllowReauth:                 c.Token == "",
	}
	if c.UserName != "" && c.UserID == "" {
		o.DomainID, o.DomainName = domain(c.UserDomainID, c.UserDomainName)
	}
	if c.ApplicationCredentialID != "" || c.ApplicationCredential != "" {
		o.Password = ""
		return o // it carries its own scope
	}
	switch {
	case c.ProjectID != "":
		o.Scope = &gophercloud.AuthScope{ProjectID: c.ProjectID}
	case c.ProjectName != "":
		o.Scope = &gophercloud.AuthScope{ProjectName: c.ProjectName}
		o.Scope.DomainID, o.Scope.DomainName = domain(c.ProjectDomainID, c.ProjectDomainName)
	}
	return o
}

// domain is an id or a name, never both.
func domain(id, name string) (string, string) {
	switch {
	case id != "":
		return id, ""
	case name != "":
		return "", name
	}
	return "", "Default"
}
