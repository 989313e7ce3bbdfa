package decisions

import (
	"fmt"
	"slices"
	"strings"
)

// template checks which template the document names, and that stages which it
// writes beside one take the place of the template's.
func (c *planCheck) template() {
	name := c.doc.Template
	if name == "" {
		return
	}
	if !slices.Contains(Templates(), name) {
		c.add("template", name, "is not a template", "write one of "+strings.Join(Templates(), ", "))
		return
	}
	stages := templates()[name]
	for i, s := range c.doc.Stages {
		if stages != nil && !slices.ContainsFunc(stages, func(t Stage) bool { return t.Name == s.Name }) {
			c.add(indexed("stages[%d].name", i), s.Name, "is no stage of template "+name, "name one of its stages, or write template: gates and all stages")
		}
	}
}

// owners asks that everybody who is named can be asked.
func (c *planCheck) owners() {
	c.owner("owner", c.plan.Owner)
	for i, o := range c.doc.Rollback.Owners {
		c.owner(indexed("rollback.owners[%d]", i), o)
	}
}

func (c *planCheck) owner(path, key string) {
	if c.known.Owner == nil || strings.TrimSpace(key) == "" {
		return
	}
	if why := c.known.Owner(key); why != "" {
		c.add(path, key, why, "declare it with a document of kind Team or Person")
	}
}

// indexed writes a path with an index.
func indexed(path string, i int) string { return fmt.Sprintf(path, i) }
