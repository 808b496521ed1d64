package sched

import (
	"context"
	"encoding/binary"
	"math"
)

// maxClasses bounds the memory of the index: 14 bytes for each host and class.
const maxClasses = 256

// classes are the classes used last, by key.
type classes struct {
	byKey map[string]*class
	clock uint64
	key   []byte // scratch
}

// class is the class of the run's set, as the hosts are now. When a plug-in
// fails the class is forgotten.
func (r *run) class(ctx context.Context) (*class, error) {
	cs := &r.f.classes
	cs.key = r.s.appendKey(cs.key[:0], &r.req.Set)
	if r.s.foreign {
		cs.key = appendKinds(appendKinds(cs.key, r.filters), r.scorers)
	}
	cs.clock++
	c := cs.byKey[string(cs.key)]
	var err error
	if c != nil {
		err = c.follow(ctx, r)
	} else {
		c = cs.spare()
		c.key = string(cs.key)
		cs.byKey[c.key] = c
		err = c.rebuild(ctx, r)
	}
	c.used = cs.clock
	if err == nil && r.s.check > 0 {
		err = c.recheck(r)
	}
	if err != nil {
		delete(cs.byKey, c.key)
	}
	return c, err
}

// spare is a new class, or when there are too many the one not used for the
// longest time.
func (cs *classes) spare() *class {
	if cs.byKey == nil {
		cs.byKey = make(map[string]*class)
	}
	if len(cs.byKey) < maxClasses {
		return &class{}
	}
	var oldest *class
	for _, c := range cs.byKey {
		if oldest == nil || c.used < oldest.used {
			oldest = c
		}
	}
	delete(cs.byKey, oldest.key)
	return oldest
}

// appendKey writes down what the plug-ins' answers follow from: sets with the
// same key are of one class. Rules on groups are left out, because the index
// follows them for each batch, unless a plug-in of somebody else may read them.
func (p *policy) appendKey(key []byte, s *Set) []byte {
	for _, n := range s.Need {
		key = binary.AppendUvarint(key, uint64(n))
	}
	key = appendStrings(key, s.Networks)
	key = binary.AppendUvarint(key, uint64(len(s.Require)))
	for k := range s.Require {
		key = s.Require[k].appendKey(key)
	}
	key = binary.AppendUvarint(key, uint64(len(s.Prefer)))
	for k := range s.Prefer {
		key = s.Prefer[k].Selector.appendKey(key)
		key = binary.LittleEndian.AppendUint64(key, math.Float64bits(s.Prefer[k].Weight))
	}
	key = binary.AppendUvarint(key, uint64(len(s.Layers)))
	for _, l := range s.Layers {
		key = binary.AppendUvarint(appendString(key, l.ID), uint64(l.Size))
	}
	if !p.foreign {
		return key
	}
	key = appendString(key, s.Group)
	key = binary.AppendUvarint(key, uint64(len(s.Spread)))
	for _, x := range s.Spread {
		key = binary.AppendUvarint(appendString(key, x.By), uint64(x.MaxSkew))
		key = appendBool(key, x.Hard)
	}
	key = binary.AppendUvarint(key, uint64(len(s.AntiAffinity)))
	for _, a := range s.AntiAffinity {
		key = appendString(appendString(key, a.Group), a.By)
	}
	key = binary.AppendUvarint(key, uint64(len(s.Affinity)))
	for _, a := range s.Affinity {
		key = appendBool(appendString(appendString(key, a.Group), a.By), a.Hard)
		key = binary.LittleEndian.AppendUint64(key, math.Float64bits(a.Weight))
	}
	return binary.AppendVarint(key, int64(s.Priority))
}

func (s *Selector) appendKey(key []byte) []byte {
	return appendBool(appendStrings(appendString(key, s.Key), s.Values), s.Not)
}

func appendString(key []byte, s string) []byte {
	return append(binary.AppendUvarint(key, uint64(len(s))), s...)
}

func appendStrings(key []byte, list []string) []byte {
	key = binary.AppendUvarint(key, uint64(len(list)))
	for _, s := range list {
		key = appendString(key, s)
	}
	return key
}

// appendKinds writes down whose answers are kept, which may be another choice for each set.
func appendKinds(key []byte, kinds []kind) []byte {
	for _, k := range kinds {
		key = append(key, byte(k))
	}
	return key
}

func appendBool(key []byte, b bool) []byte {
	if b {
		return append(key, 1)
	}
	return append(key, 0)
}
