package docker

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestWhyAProgramCannotBeRun(t *testing.T) {
	for text, want := range map[string]string{
		"[FATAL tini (7)] exec /nope failed: No such file or directory\n": `its command "/nope" cannot be run: No such file or directory`,
		"[FATAL tini (7)] exec /data failed: Permission denied\n":         `its command "/data" cannot be run: Permission denied`,
		`failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/nope": stat /nope: no such file or directory: unknown`: `its command "/nope" cannot be run: stat /nope: no such file or directory`,
		`OCI runtime create failed: container_linux.go:380: starting container process caused: exec: "web": executable file not found in $PATH: unknown`:                              `its command "web" cannot be run: executable file not found in $PATH`,
		`OCI runtime create failed: unable to start container process: error during container init: unable to find user joe: no matching entries in passwd file: unknown`:             `unable to find user joe`,
		`error mounting "/x/volumes/data" to rootfs at "/web": not a directory: unknown: Are you trying to mount a directory onto a file (or vice-versa)? Check if the path exists`:   `not a directory: unknown: Are you trying to mount a directory onto a file`,
		"Conflict. The container name is already in use": "",
	} {
		assert.Equal(t, want, badProgram(errors.New(text)), text)
	}
	assert.Empty(t, badProgram(nil))
	assert.Empty(t, badProgram(context.Canceled))
}
