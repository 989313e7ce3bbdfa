package warehouse

import (
	"context"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/ingest"
)

// codeDefaults are exposures that the flag's own rules do not explain. The
// reason DEFAULT is the flag's, unless whoever evaluated it had no revision of
// it. Copies of an exposure count once by their id, which spares the merge of a
// whole table for what is nearly always nothing.
const codeDefaults = `SELECT attributes[{sdk:String}] AS sdk, attributes[{version:String}] AS version, variant, reason,
  toInt64(uniqExact(id)), toInt64(uniqExact(unit_kind, unit)), max(at)
FROM exposures
WHERE environment = {environment:String} AND flag = {flag:String} AND NOT synthetic AND variant != {safe:String}
  AND at >= fromUnixTimestamp64Milli({since:Int64}, 'UTC') AND (reason IN ('ERROR', 'DISABLED') OR reason = 'DEFAULT' AND revision = 0)
GROUP BY sdk, version, variant, reason
ORDER BY sdk, version, variant, reason
LIMIT 100`

// CodeDefaults returns the exposures of a flag since a time that met another
// variant than the safe one by the default in the code, by SDK.
func (w *Warehouse) CodeDefaults(ctx context.Context, environment, flag, safe string, since time.Time) ([]ingest.CodeDefault, error) {
	rows, err := query(ctx, w.reader, codeDefaults, Params{
		"environment": environment, "flag": flag, "safe": safe, "since": since.UnixMilli(), "sdk": ingest.SDKName, "version": ingest.SDKVersion,
	})
	if err != nil {
		return nil, fmt.Errorf("looking for defaults in code of %s: %w", flag, err)
	}
	defer rows.Close()
	var out []ingest.CodeDefault
	for rows.Next() {
		c := ingest.CodeDefault{Safe: safe}
		if err := rows.Scan(&c.SDK.Name, &c.SDK.Version, &c.Variant, &c.Reason, &c.Exposures, &c.Units, &c.Newest); err != nil {
			return nil, fmt.Errorf("looking for defaults in code of %s: %w", flag, err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}
