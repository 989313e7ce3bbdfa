package decisions

// Measured names the metrics that the plan measures, each once: success,
// guardrails, diagnostics.
func (p Plan) Measured() []string { return p.measured() }
