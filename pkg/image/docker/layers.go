package docker

// LayerState is where a layer of a push or pull is.
type LayerState string

// A layer that the other side has already is LayerPresent and moves no byte.
const (
	LayerMoving  LayerState = "moving"
	LayerPresent LayerState = "present"
	LayerDone    LayerState = "done"
)

// LayerProgress says how far one layer is.
type LayerProgress struct {
	ID    string // as the engine names it: 12 hex digits
	State LayerState
	Done  int64 // bytes
	Total int64 // bytes; 0 when not known
}

var layerStates = map[string]LayerState{
	"Downloading": LayerMoving, "Pushing": LayerMoving,
	"Already exists": LayerPresent, "Layer already exists": LayerPresent,
	"Pull complete": LayerDone, "Pushed": LayerDone,
}

// layerOf reads a line of the engine's stream; false when it says nothing of a layer's way.
func layerOf(m message, known map[string]*message) (LayerProgress, bool) {
	state, ok := layerStates[m.Status]
	if !ok || m.ID == "" {
		return LayerProgress{}, false
	}
	p := LayerProgress{ID: m.ID, State: state, Done: m.Detail.Current, Total: m.Detail.Total}
	if have, ok := known[m.ID]; ok && state == LayerDone {
		p.Done, p.Total = have.Detail.Total, have.Detail.Total
	}
	return p, true
}
