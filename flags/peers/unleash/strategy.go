package unleash

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
)

// own returns what a strategy asks for beside its constraints.
func (im *importer) own(m *peers.Maker, path string, s strategy) (peers.Cond, error) {
	switch s.Name {
	case "default":
		return peers.Always, nil
	case "userWithId":
		return im.listed(s.text("userIds")), nil
	case "remoteAddress":
		return addresses(im.attribute("remoteAddress"), split(s.text("IPs"))), nil
	case "gradualRolloutUserId":
		return im.portion(m, path, s, s.text("percentage"), "userId")
	case "gradualRolloutSessionId":
		return im.portion(m, path, s, s.text("percentage"), "sessionId")
	case "gradualRolloutRandom":
		return im.portion(m, path, s, s.text("percentage"), "random")
	case "flexibleRollout":
		return im.portion(m, path, s, s.text("rollout"), s.text("stickiness"))
	}
	return peers.Never, fmt.Errorf("is a strategy of one's own, or of hosts, which is not known here: %s", s.Name)
}

// text returns a parameter, written out.
func (s strategy) text(name string) string {
	switch v := s.Parameters[name].(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

func split(list string) []string {
	var out []string
	for _, s := range strings.Split(list, ",") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func (im *importer) listed(ids string) peers.Cond {
	return peers.OneOf(im.attribute("userId"), split(ids)...)
}

// addresses asks for an address in ranges; an address alone is a range of one,
// and what is neither is passed over, as there.
func addresses(name string, list []string) peers.Cond {
	var ranges []any
	for _, s := range list {
		if p, err := netip.ParsePrefix(s); err == nil {
			ranges = append(ranges, p.String())
		} else if a, err := netip.ParseAddr(s); err == nil {
			ranges = append(ranges, netip.PrefixFrom(a, a.BitLen()).String())
		}
	}
	if len(ranges) == 0 {
		return peers.Never
	}
	return peers.Test(name, flags.CIDR, ranges...)
}

// portion asks for a percentage of units.
func (im *importer) portion(m *peers.Maker, path string, s strategy, percentage, stickiness string) (peers.Cond, error) {
	percent, err := strconv.ParseFloat(percentage, 64)
	if err != nil {
		return peers.Never, fmt.Errorf("has a percentage that is no number: %q", percentage)
	}
	to := int(min(max(percent, 0), 100)) * (flags.Whole / 100) // a place is below it if 1 … 100 is not above it
	switch {
	case to == 0:
		return peers.Never, nil
	case stickiness == "random" && to < flags.Whole:
		return peers.Never, fmt.Errorf("gives %s%% of the requests, by chance: nobody has a place to keep", percentage)
	case to == flags.Whole && (stickiness == "" || stickiness == "default" || stickiness == "random"):
		return peers.Always, nil
	}
	group := s.text("groupId")
	if group == "" {
		group = im.toggle
	}
	var any []peers.Cond
	im.sticky(m, path, stickiness, []string{"userId", "sessionId"}, func(by string, first peers.Cond) {
		any = append(any, peers.And(first, portionOf(flags.HashInput{Version: flags.Unleash, Salt: group + ":", By: by}, to)))
	})
	return peers.Or(any...), nil
}

func portionOf(h flags.HashInput, to int) peers.Cond {
	if to == flags.Whole {
		return peers.There(h.By)
	}
	return peers.Between(h, 0, to)
}

// sticky calls do for each attribute that a unit may be known by, with the
// condition that those before it are absent.
func (im *importer) sticky(m *peers.Maker, path, stickiness string, fallbacks []string, do func(by string, first peers.Cond)) {
	if stickiness != "" && stickiness != "default" {
		do(im.attribute(stickiness), peers.Always)
		m.Note(path, "a context without %s is in no percentage, and gets no variant; there it gets one by chance", stickiness)
		return
	}
	first := peers.Always
	for _, name := range fallbacks {
		by := im.attribute(name)
		do(by, first)
		first = peers.And(first, peers.Not(peers.There(by)))
	}
	m.Note(path, "a context with none of %s is in by chance there, and never here", strings.Join(fallbacks, ", "))
}

func (im *importer) attribute(name string) string { return im.desk.Attribute(name, "userId") }
