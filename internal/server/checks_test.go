package server

import (
	"strings"
	"testing"
)

// TestSaidToAGate: programs report external checks, owners confirm, and both are
// refused where the plan asks nothing of them.
func TestSaidToAGate(t *testing.T) {
	h := shop(t)
	h.want("editor", "POST", "/api/v1/apply", strings.Replace(rolloutOfAll, "decide: true}", "decide: true, requires: [smoke-test], advanceWhen: [{manual: shop-team}]}", 1), 200, "created")
	const at = "/api/v1/rollouts/production/shop.checkout/1/"
	h.want("reporter", "POST", at+"checks", `{"check":"smoke-test","state":"pass","for":"6h","link":"https://ci.example/7"}`, 200,
		`"rollout":"production/shop.checkout/1","check":"smoke-test","state":"pass","by":"service:reporter"`)
	h.want("reporter", "POST", at+"checks", `{"check":"load-test","state":"pass"}`, 400, `"path":"check","value":"load-test","why":"is not an external check of the plan"`)
	h.want("reporter", "POST", at+"checks", `{"check":"smoke-test","state":"pass","for":"soon"}`, 400, `"path":"for","value":"soon"`)
	h.want("reporter", "POST", at+"checks", `{"check":"smoke-test","state":"pass","for":"0s"}`, 400, `"why":"is no time at all"`)
	h.want("reporter", "POST", at+"checks", `{"check":"smoke-test","state":"odd"}`, 400, "state")
	h.want("reporter", "POST", "/api/v1/rollouts/production/shop.checkout/2/checks", `{"check":"smoke-test","state":"pass"}`, 404, "rollout")
	h.want("viewer", "POST", at+"checks", `{"check":"smoke-test","state":"pass"}`, 403, "may not do that")
	h.want("reporter", "GET", strings.TrimSuffix(at, "/"), "", 403, "may not do that")

	const said = `{"owner":"shop-team","comment":"looked at it"}`
	h.want("approver", "POST", at+"confirmations", said, 409, "cannot be confirmed")
	h.start("production/shop.checkout/1")
	h.want("approver", "POST", at+"confirmations", `{"owner":"nobody","comment":"looked at it"}`, 400, "has nothing to confirm in experiment")
	h.want("editor", "POST", at+"confirmations", said, 403, "may not do that")
	h.want("approver", "POST", at+"confirmations", said, 200, `"confirmed":{"advanceWhen manual shop-team":{"by":"person:approver"`)
	h.want("approver", "POST", at+"confirmations", said, 409, "has confirmed that already")
	h.want("viewer", "GET", "/api/v1/flags?q=checkout", "", 200, `"health":{"production":{"state":"unknown","source":"rollout production/shop.checkout/1"`)
}
