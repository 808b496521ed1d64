package keystone_test

import "github.com/gophercloud/gophercloud/v2"

func jsonBody(in, out any, ok int) *gophercloud.RequestOpts {
	return &gophercloud.RequestOpts{JSONBody: in, JSONResponse: out, OkCodes: []int{ok}}
}
