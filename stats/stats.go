// Package stats answers two questions about a rollout from sufficient
// statistics alone: does the treatment harm (so that it must stop), and is
// harm of a given size excluded (so that it may go on). It holds the metrics,
// the moments, the comparison that people look at, the sequential tests that
// gates ask at every batch, and the tests of health: the sample ratio, counts of
// failures, units in two arms, the time before the first exposure, the largest
// unit. Beside them stand what many tests together may say (Adjust), and where
// an effect differs: between segments (Breakdown) and days (JudgeNovelty).
//
// It never reads data, a clock or a configuration, and it never refuses by
// panicking or by returning a number that looks like evidence. A value that
// cannot be trusted comes with Warnings; one that cannot be computed comes with
// Refused, a p-value of 1 and an interval open on both sides.
//
// A sample is a proportion, a mean, a ratio over units, a mean over clusters or
// a quantile of events that are clustered in units; with what was known of the
// units before, it is adjusted (CUPED). What a stratum says of both arms is
// computed in one place, which comparisons and the tests of gates read.
//
// Every test of a gate runs in information time: the score S of the strata
// (allocation epochs and stages, never pooled over different mixtures) against
// its own clock V, so that looking at every batch costs nothing:
//
//	strata := []stats.Stratum{{Epoch: 1, Stage: "canary",
//		Control: stats.Proportion(44700, 8502), Treatment: stats.Proportion(45489, 8279)}}
//	frozen, ok := stats.Freeze(strata)
//	g := stats.Guardrail{Margin: 0, Detect: 0.04, Direction: stats.Increase, Alpha: 0.05, Power: 0.8}
//	j := g.Judge(strata, frozen)
//	fmt.Println(ok, j.State, math.Exp(j.LogBreach)) // true breached 57.2
//
// Formulae carry their source in the code: [WSR] Waudby-Smith, Arbour, Sinha,
// Kennedy & Ramdas 2024 (arXiv 2103.06476); [LM] Lindon & Malek 2022 (arXiv
// 2011.03567); [LSS] Lindon, Sanden & Shirikian 2022 (KDD); [LD] Lan & DeMets
// 1983; [JT] Jennison & Turnbull 2000; [DKL] Deng, Knoblich & Lu 2018 (arXiv
// 1803.06336); [LHTB] Lindon, Ham, Tingley & Bojinov 2022 (arXiv 2210.08589).
package stats
