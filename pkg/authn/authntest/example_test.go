package authntest_test

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/moset/moset/pkg/authn/authntest"
)

// A stock client logs in at the box as at any Keystone.
func Example() {
	box, err := authntest.New(authntest.Config{
		Users:     []authntest.User{{Name: "demo", Password: "secret", Projects: map[string][]string{"demo": {"member"}}}},
		Endpoints: map[string]string{"image": "http://127.0.0.1:9292"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	url, stop := box.Start()
	defer stop()
	resp, err := http.Post(url+"/auth/tokens", "application/json", strings.NewReader(login("demo", "secret", projectScope("demo"))))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.StatusCode, len(resp.Header.Get("X-Subject-Token")) > 0, box.Calls())
	// Output: 201 true 1
}
