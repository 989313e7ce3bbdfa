package dashboards

import (
	"reflect"
	"strings"
	"testing"
)

// Texts that try to leave their place: markup, an attribute's end, a script's
// end, right-to-left overrides, and sheer length.
const (
	markup = `</title></svg></code><script>faults.push("ran")</script><img src=x onerror=faults.push("ran")>"'><b data-broke>`
	rtl    = "\u202Eevil\u202C שלום"
)

func hostile() string { return markup + rtl + strings.Repeat("W", 10_000) }

// poison replaces every text in a view, at any depth; the sealed words stay.
func poison(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				poison(f, text)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			poison(v.Index(i), text)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			poison(v.Elem(), text)
		}
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			v.SetString(text)
		}
	}
}

func poisoned[P any](page P, text string) P {
	poison(reflect.ValueOf(&page).Elem(), text)
	return page
}

func hostileRollout() Rollout {
	p := poisoned(sampleRollout(), hostile())
	p.Refresh = 0
	return p
}

func hostileHome() Home {
	p := poisoned(sampleHome(), hostile())
	p.Refresh, p.Empty = 0, ""
	for i, l := range sampleHome().Lanes {
		p.Lanes[i].ID, p.Lanes[i].Name = l.ID, l.Name // never come from outside
	}
	return p
}

func hostileRecord() Record { return poisoned(sampleRecord(), hostile()) }

func TestRender_hostileInput(t *testing.T) {
	signIn := poisoned(SignIn{Fault: "x"}, markup+rtl)
	problem := poisoned(Problem{Status: 404}, markup+rtl)
	for _, page := range []any{hostileRollout(), hostileHome(), hostileRecord(), signIn, problem} {
		got := html(t, page)
		for _, bad := range []string{`<script>f`, `<img`, `<b data-broke`, `onerror=faults.push("`} {
			if strings.Contains(got, bad) {
				t.Errorf("%T: %q broke out", page, bad)
			}
		}
		if strings.Count(got, "<main") != 1 || !strings.HasSuffix(strings.TrimSpace(got), "</html>") {
			t.Errorf("%T: the page is cut or doubled", page)
		}
	}
}

// TestRender_hostileLink: an address that somebody else wrote cannot be a script.
func TestRender_hostileLink(t *testing.T) {
	p := sampleRollout()
	p.Cleanup.Ticket = "javascript:alert(1)"
	if got := html(t, p); strings.Contains(got, `href="javascript:`) {
		t.Error("a ticket's address is a script")
	}
}
