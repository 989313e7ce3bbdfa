package stats

import (
	"math"
	"testing"
)

func TestEventPlanTmp(t *testing.T) {
	t.Logf("%+v", EventDesign{Effect: 0.001, Absolute: true}.Solve())
	t.Logf("%+v", EventDesign{Effect: 0.001, Absolute: true, Weights: []float64{9, 1}}.Solve())
	t.Logf("%+v", EventDesign{Rate: 0.01, Effect: 1}.Solve())
	t.Logf("%+v", EventDesign{Rate: 0.01, Effect: 1, Units: 1500}.Solve())
	t.Logf("%+v", EventDesign{Rate: 0.01, Effect: 0.2}.Solve())
	t.Logf("%+v", EventDesign{Rate: 0.01, Effect: 0.05}.Solve())
	t.Logf("%+v", EventDesign{Rate: 0.01, Exclude: 2}.Solve())
	t.Logf("%+v", EventDesign{Rate: 0.01, Exclude: 2, Units: 2500}.Solve())
	_ = math.Pi
}
