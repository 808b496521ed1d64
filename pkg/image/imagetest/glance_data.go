package imagetest

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"time"
)

// upload takes a payload, one at a time for an image.
func (g *Glance) upload(c Caller, r *http.Request) (answer, error) {
	if t := r.Header.Get("Content-Type"); t != "application/octet-stream" {
		return answer{}, faultf(415, "The request media type %s is not supported by this server.", t)
	}
	id, err := g.startUpload(c, r.PathValue("id"))
	if err != nil {
		return answer{}, err
	}
	in, err := g.disk.receive()
	if err != nil {
		return answer{}, err
	}
	defer in.discard()
	sums := []hash.Hash{md5.New(), g.newHash()}
	n, err := io.Copy(io.MultiWriter(in, sums[0], sums[1]), g.failing(r.Body))
	if err != nil {
		g.requeue(id)
		f := fault{http.StatusBadRequest, "Error in store configuration or upload: " + err.Error()}
		errors.As(err, &f)
		return answer{}, f
	}
	return answer{status: http.StatusNoContent}, g.finishUpload(id, in, n, sums)
}

func (g *Glance) newHash() hash.Hash {
	if g.hash == "sha256" {
		return sha256.New()
	}
	return sha512.New()
}

func (g *Glance) startUpload(c Caller, id string) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	i, err := g.writable(c, id)
	if err != nil {
		return "", err
	}
	if i.Container == nil || i.Disk == nil {
		return "", faultf(400, "Properties disk_format, container_format must be set prior to saving data.")
	}
	if i.Status != "queued" {
		return "", faultf(409, "Image status transition from %s to saving is not allowed", i.Status)
	}
	next := i.clone()
	next.Status = "saving"
	return next.ID, g.keep(next)
}

// requeue is what Glance does with a broken upload: the image can be uploaded again.
func (g *Glance) requeue(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := g.records[id]
	if i == nil || i.Status != "saving" {
		return
	}
	next := i.clone()
	next.Status = "queued"
	if err := g.keep(next); err != nil {
		g.log.Error("a broken upload could not be written back", "image", id, "error", err)
	}
}

func (g *Glance) finishUpload(id string, in *incoming, size int64, sums []hash.Hash) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := g.records[id]
	if i == nil { // deleted meanwhile
		return faultf(410, "Image %s could not be found after upload.", id)
	}
	next := i.clone()
	payload, err := in.commit(id)
	if err != nil {
		return err
	}
	checksum, value := hex.EncodeToString(sums[0].Sum(nil)), hex.EncodeToString(sums[1].Sum(nil))
	next.payload, next.Size, next.Checksum = payload, &size, &checksum
	next.HashAlgo, next.HashValue, next.Status = &g.hash, &value, "active"
	next.Updated = time.Now().UTC().Truncate(time.Second)
	return g.keep(next)
}

// download serves a payload or a range of it.
func (g *Glance) download(w http.ResponseWriter, r *http.Request) {
	c, err := g.caller(r)
	if err != nil {
		writeFault(w, err)
		return
	}
	g.mu.Lock()
	i, err := g.visible(c, r.PathValue("id"))
	g.mu.Unlock()
	if err != nil {
		writeFault(w, err)
		return
	}
	if i.Status != "active" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	body, err := g.disk.open(i)
	if err != nil {
		writeFault(w, err)
		return
	}
	defer body.Close()
	if g.whole && r.Header.Get("Range") != "" {
		writeFault(w, faultf(http.StatusBadRequest, "Getting images randomly from this store is not supported."))
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-MD5", *i.Checksum)
	http.ServeContent(w, r, "", time.Time{}, body)
}
