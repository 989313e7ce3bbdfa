package sdk

import "context"

const lastKnownFile = "last-known"

// recall takes up the newest flags that are at hand, unless some are held from
// before.
func (p *Provider) recall() {
	if p.held.Load() != nil {
		return
	}
	best, source := p.shipped(), FromBootstrap
	if kept := p.kept(); kept != nil && (best == nil || kept.revision() >= best.revision()) {
		best, source = kept, FromLastKnown
	}
	if best == nil {
		return
	}
	lists, err := library{dir: p.file("lists")}.lists(context.Background(), best.rules.ruleset, nil)
	if err != nil {
		p.config.log().Error("flags that ask for a list of units have no answer until it is there", "error", err)
	}
	s := best.rules.snapshot(source, lists)
	s.confirmed, s.server = best.Confirmed, best.Server
	p.held.Store(s)
}

// shipped reads the bootstrap data, nil when there is none that can be used.
func (p *Provider) shipped() *lastKnown {
	if len(p.config.Bootstrap) == 0 {
		return nil
	}
	k, err := decodeLastKnown(p.config.Bootstrap)
	if err != nil {
		p.config.log().Error("the bootstrap data is not used", "error", err)
		return nil
	}
	return p.ours(k)
}

// kept reads the last-known file, nil when there is none that can be used.
func (p *Provider) kept() *lastKnown {
	path := p.file(lastKnownFile)
	if path == "" {
		return nil
	}
	k, err := readLastKnown(path)
	if err != nil {
		p.config.log().Error("the last-known flags are not used", "error", err)
		return nil
	}
	return p.ours(k)
}

// ours returns flags that are of the environment which is wanted, else nil.
func (p *Provider) ours(k *lastKnown) *lastKnown {
	if k == nil || p.config.Environment != "" && p.config.Environment != k.rules.ruleset.Environment {
		return nil
	}
	return k
}

// unpack reads all flags of a start. It is the one who follows the stream that
// does, before anything else: nobody changes flags in the meantime.
func (p *Provider) unpack() {
	s := p.held.Load()
	if s == nil || s.packed == nil {
		return
	}
	r, err := s.packed.whole()
	if err != nil {
		p.config.log().Error("flags that cannot be read have no answer until the server sends them", "error", err)
	}
	n := newSnapshot(s.source, r, s.lists)
	n.confirmed, n.server = s.confirmed, s.server
	p.held.Store(n)
	if p.config.report() >= 0 {
		p.opened.Store(s) // what it has counted is reported next time: somebody may still be counting
	}
}
