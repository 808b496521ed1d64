package imagetest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/moset/moset/pkg/image/imagetest"
)

func ExampleNewGlance() {
	box, err := imagetest.NewGlance(imagetest.GlanceConfig{
		Tokens: imagetest.FixedTokens{"a token": {ProjectID: "42", Roles: []string{"member"}}},
		Hash:   "sha256",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	srv := httptest.NewServer(box)
	defer srv.Close()
	req, _ := http.NewRequest("GET", srv.URL+"/v2/images?name=repo:tag", nil)
	req.Header.Set("X-Auth-Token", "a token")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Println(resp.StatusCode, strings.Contains(string(body), "unknown operator"))
	// Output: 400 true
}
