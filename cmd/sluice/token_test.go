package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/server"
)

// TestToken_asksFor: what the command line says is what the server is asked.
func TestToken_asksFor(t *testing.T) {
	var got []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got = append(got, fmt.Sprintf("%s %s %s", r.Method, r.URL.RequestURI(), b))
		_, _ = io.WriteString(w, `{"token":"sla_x","tokens":[]}`)
	}))
	defer s.Close()
	for _, line := range []string{
		"shop --environment production", // as it was before there were others
		"issue --class sla --kind service --grant editor@staging,production:checkout.,search --grant viewer ci",
		"issue --class slc --environment production --origin https://a.example --origin https://b.example page",
		"list person:ana", "revoke 0a1b", "rotate 0a1b", "rotate 0a1b --overlap 0s",
	} {
		if code := run(t.Context(), append([]string{"token"}, append(strings.Fields(line), "--server", s.URL)...)); code != 0 {
			t.Errorf("sluice token %s: exit status %d", line, code)
		}
	}
	want := []string{
		`POST /api/v1/tokens {"class":"sls","environment":"production","name":"shop"}`,
		`POST /api/v1/tokens {"class":"sla","grants":[{"role":"editor","environments":["staging","production"],"keys":["checkout.","search"]},{"role":"viewer"}],"kind":"service","name":"ci"}`,
		`POST /api/v1/tokens {"class":"slc","environment":"production","name":"page","origins":["https://a.example","https://b.example"]}`,
		"GET /api/v1/tokens?cursor=&principal=person%3Aana ", "DELETE /api/v1/tokens/0a1b ",
		`POST /api/v1/tokens/0a1b/rotate {"overlap":"1d"}`, `POST /api/v1/tokens/0a1b/rotate {"overlap":"0s"}`,
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestTokenTable(t *testing.T) {
	at := time.Date(2026, 11, 1, 9, 0, 30, 0, time.UTC)
	var b strings.Builder
	tokenTable(&b, []server.TokenView{
		{ID: "0a", Class: access.Account, Principal: "person:ana", Role: access.Approver, Environment: "staging", LastUsed: &at},
		{ID: "1b", Class: access.ClientSDK, Principal: "sdk:page", Environment: "production", Origins: []string{"https://a.example"}, Expires: &at},
		{ID: "2c", Class: access.Account, Principal: "service:ci", Grants: []access.Grant{{Role: access.Editor, Keys: []string{"checkout."}}, {Role: access.Viewer}}},
	})
	const want = "ID\tCLASS\tPRINCIPAL\tMAY\tEXPIRES\tLAST USED\n" +
		"0a\tsla\tperson:ana\tapprover in staging\tnever\t2026-11-01 09:00\n" +
		"1b\tslc\tsdk:page\tin production; from https://a.example\t2026-11-01 09:00\t–\n" +
		"2c\tsla\tservice:ci\teditor on checkout.; viewer\tnever\t–\n"
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
