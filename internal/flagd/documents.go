package flagd

import (
	"sync"

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
}

// at returns the document of an environment as it is now.
func (d *documents) at(environment string) (string, error) {
	set, err := d.house.Set(environment)
	if err != nil {
		return "", d.house.unavailable(environment, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if made, ok := d.made[environment]; ok && made.of == set {
		return made.text, nil
	}
	body, err := d.house.Document(environment)
	if err != nil {
		return "", d.house.unavailable(environment, err)
	}
	if d.made == nil {
		d.made = map[string]document{}
	}
	d.made[environment] = document{of: set, text: string(body)}
	return string(body), nil
}
