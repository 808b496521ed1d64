package docker

import (
	"bytes"
	"debug/elf"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheInfraImageIsTheSameEverywhere(t *testing.T) {
	archive, id := pauseArchive()
	again, sameID := pauseArchive()
	assert.Equal(t, archive, again)
	assert.Equal(t, id, sameID)
	assert.Equal(t, pauseID, id, "a new program needs a new pauseTag, and then this id")
}

func TestTheInfraProgramIsAnExecutable(t *testing.T) {
	program := pauseELF(pauseCode)
	assert.Less(t, len(program), 256)
	f, err := elf.NewFile(bytes.NewReader(program))
	require.NoError(t, err)
	assert.Equal(t, elf.EM_X86_64, f.Machine)
	assert.Equal(t, elf.ET_EXEC, f.Type)
	require.Len(t, f.Progs, 1)
	assert.Equal(t, elf.PF_R|elf.PF_X, f.Progs[0].Flags, "nothing of it can be written")
	code := make([]byte, len(pauseCode))
	_, err = f.Progs[0].ReadAt(code, int64(f.Entry-f.Progs[0].Vaddr))
	require.NoError(t, err)
	assert.Equal(t, pauseCode, code, "it begins where it is entered")
}

const pauseID = "sha256:53ef95675f9ce5bcdd97895dc03963bbadb13f0e0169f118122b38453954ed8e"
