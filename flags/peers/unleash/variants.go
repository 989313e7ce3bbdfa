package unleash

import (
	"cmp"
	"encoding/json"
	"fmt"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
)

// variants makes the flag of a toggle's variants. A strategy's own come before
// those of the toggle.
func (im *importer) variants(f feature, path string) {
	m := im.desk.Begin(f.Name+suffix, path)
	m.Description = f.Description
	objects := f.objects()
	m.Named(none, f.nothing(objects))
	m.Default, m.Safe = none, none
	im.answers(m, f, func(i int, s strategy, when peers.Cond) {
		d := dealt{name: ruleName(i, s), when: when, list: f.Variants, group: f.Name, objects: objects}
		if len(s.Variants) > 0 {
			d.list, d.group, d.stickiness = s.Variants, s.text("groupId"), s.text("stickiness")
		}
		if len(d.list) > 0 {
			im.deal(m, fmt.Sprintf("strategies[%d]", i), d)
		}
	})
	m.Done()
}

// dealt are variants that are dealt out among those whom a strategy means.
type dealt struct {
	name       string
	when       peers.Cond
	list       []variant
	group      string
	stickiness string // of the strategy, where the variants say none
	objects    bool   // payloads are objects
}

// deal adds the rules of overrides, and a split for each attribute that units
// may be known by.
func (im *importer) deal(m *peers.Maker, path string, d dealt) {
	total := weightOf(d.list)
	if total == 0 {
		return // nobody has a variant
	}
	names := make([]string, len(d.list))
	for i, v := range d.list {
		names[i] = variantOf(m, v, d.objects)
		for _, o := range v.Overrides {
			m.Rule(d.name+"-override", peers.And(d.when, peers.OneOf(im.attribute(o.ContextName), o.Values...)), flags.Rule{Serve: names[i]})
		}
	}
	stickiness := cmp.Or(d.list[0].Stickiness, d.stickiness)
	switch {
	case total < 0 || total > flags.Whole:
		m.Leave(path+".variants", "has weights that add up to %d", total)
		return
	case stickiness == "random" && len(d.list) > 1:
		m.Leave(path+".variants", "are dealt out by chance: nobody has a place to keep")
		return
	case len(d.list) == 1: // everybody has it, whether there is something to be hashed or not
		m.Rule(d.name, d.when, flags.Rule{Serve: names[0]})
		return
	}
	ranges := rangesOf(d.list, names, total)
	h := flags.HashInput{Version: flags.UnleashVariant, Salt: d.group + ":"}
	if total != 1000 {
		h.Of = total
	}
	im.sticky(m, path+".variants", stickiness, []string{"userId", "sessionId", "remoteAddress"}, func(by string, first peers.Cond) {
		h.By = by
		m.Spread(d.name, peers.And(d.when, first), h, ranges)
	})
}

func weightOf(list []variant) int {
	total := 0
	for _, v := range list {
		total += v.Weight
	}
	return total
}

func ceil(n, by int) int { return (n + by - 1) / by }

// rangesOf returns the places of each variant.
func rangesOf(list []variant, names []string, total int) []peers.Range {
	ranges, sum := make([]peers.Range, len(list)), 0
	for i, v := range list {
		from := ceil(sum*flags.Whole, total)
		sum += v.Weight
		ranges[i] = peers.Range{Variant: names[i], From: from, To: ceil(sum*flags.Whole, total)}
	}
	return ranges
}

// variantOf takes a variant up, with its payload for a value, or its name where
// it has none.
func variantOf(m *peers.Maker, v variant, objects bool) string {
	value := v.value(objects)
	name := peers.Name(v.Name)
	if was, ok := m.Variants[name]; ok && string(was) == string(value) {
		return name
	} else if ok {
		m.Note("", "has two variants of the name %s with other payloads: one is called otherwise here", name)
	}
	return m.Named(name, value)
}

func (v variant) value(objects bool) json.RawMessage {
	if objects {
		return json.RawMessage(v.Payload.Value)
	}
	text := v.Name
	if v.Payload != nil {
		text = v.Payload.Value
	}
	raw, _ := json.Marshal(text) // a text can always be written
	return raw
}

// objects reports whether every variant has an object for a payload.
func (f feature) objects() bool {
	all := f.Variants
	for _, s := range f.Strategies {
		all = append(all[:len(all):len(all)], s.Variants...)
	}
	for _, v := range all {
		var object map[string]any
		if v.Payload == nil || v.Payload.Type != "json" || json.Unmarshal([]byte(v.Payload.Value), &object) != nil || object == nil {
			return false
		}
	}
	return true
}

// nothing is the value of a toggle that has no variant for a unit.
func (f feature) nothing(objects bool) json.RawMessage {
	if objects {
		return json.RawMessage("{}")
	}
	return json.RawMessage(`"` + none + `"`)
}
