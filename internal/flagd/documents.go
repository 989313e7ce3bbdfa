package flagd

import (
	"sync"

	"connectrpc.com/connect"

	"github.com/sluice-hq/sluice/flags"
)

// documents keeps the flags.json of every environment that is synced, so that
// a change is exported once and not once for each stream.
type documents struct {
	house *Handler
	mu    sync.Mutex // held while exporting
	made  map[string]document
}

type document struct {
	of   *flags.Set // what it was made of, or of something newer
	text string
	err  error
}

// at returns the document of an environment as it is now.
func (d *documents) at(environment string) (string, error) {
	set, err := d.house.Set(environment)
	if err != nil {
		return "", misplaced(err)
	}
	if d.house.Document == nil {
		return "", connect.NewError(connect.CodeUnimplemented, wire("this server exports no flags"))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if made, ok := d.made[environment]; ok && made.of == set {
		return made.text, made.err
	}
	if d.made == nil {
		d.made = map[string]document{}
	}
	made := document{of: set}
	body, err := d.house.Document(environment)
	if made.text = string(body); err != nil {
		made.err = d.house.unexportable(environment, err)
	}
	d.made[environment] = made
	return made.text, made.err
}
