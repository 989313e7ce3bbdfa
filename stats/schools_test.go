package stats

import (
	"math"
	"testing"
)

// schools is the academic performance index of 183 schools in 15 districts of
// California, 2000, sampled whole: data set apiclus1 of the R package survey
// (Lumley 2004, J. Stat. Software 9:1), whose answers the tests below expect. They
// correct for the 757 districts that there are, by the factor whole15.
var schools = [][]int64{
	{608, 684, 612, 710, 729, 714, 759, 585, 625, 664, 669},
	{443, 467, 482, 496},
	{411, 494},
	{493, 592, 550, 689, 598, 628, 652, 628, 832, 777, 709, 709, 736},
	{561, 555},
	{696, 631, 564, 602},
	{529, 491, 510, 547},
	{814, 806, 715, 785, 720, 905, 617, 630, 629, 696, 476, 757, 825, 595, 552, 847},
	{714, 724, 687, 723, 662, 699, 807, 679, 691},
	{622, 754, 655, 764, 795, 505, 638, 733, 523, 511, 710, 657, 602, 490, 664, 651, 603, 698, 511, 814, 669, 711, 538, 705, 595, 551, 762, 521, 709, 780, 780, 722, 828, 737},
	{595, 661, 502, 614, 585, 582, 642, 536, 746, 667, 629, 745, 674, 637, 696, 632, 639, 745, 789, 656, 789},
	{517, 478, 582, 592, 587, 553, 516, 535, 566, 481, 472, 559, 610, 599, 551, 554, 561, 505, 492, 504, 487, 627, 465, 529, 625, 436, 542, 515, 461, 528, 512, 508, 670, 760, 652, 546, 717},
	{701, 748, 735, 699, 685, 827, 711, 677, 759, 697, 742, 691, 700},
	{551},
	{703, 676, 714, 842, 824, 717, 836, 733, 719, 817, 749, 781},
}

var whole15 = math.Sqrt(1 - 15./757)

// index99 is the sum of the schools' index of 1999 in each district, students
// those tested and those enrolled.
var (
	index99  = []float64{6699, 1603, 812, 8129, 1004, 2479, 1921, 10971, 6253, 21397, 12783, 19001, 9045, 502, 8478}
	students = [][2]float64{{4895, 6081}, {1184, 1436}, {532, 680}, {5935, 6958}, {610, 683}, {1373, 1641}, {1461, 1668}, {7573, 9025},
		{1877, 2180}, {12618, 15038}, {12292, 14968}, {22452, 25814}, {6047, 6777}, {199, 274}, {6431, 7375}}
)

// The vignette "A survey analysis example" of the package: svymean(~api00+api99,
// dclus1) is 644.169399 (23.5422) and 606.978142 (24.2250), svyratio(~api.stu,
// ~enroll, dclus1) is 0.8497087 (0.008386297).
func TestClusters_survey(t *testing.T) {
	var now, past, tested Joint
	for i, district := range schools {
		n, sum := float64(len(district)), 0.
		for _, x := range district {
			sum += float64(x)
		}
		now, past = now.Merge(jointOf([]float64{sum, n})), past.Merge(jointOf([]float64{index99[i], n}))
		tested = tested.Merge(jointOf(students[i][:]))
	}
	for _, tt := range []struct {
		name              string
		s                 Sample
		center, se, digit float64
	}{
		{"api00", ClusterSample(now), 644.169399, 23.5422, 5e-5},
		{"api99", ClusterSample(past), 606.978142, 24.2250, 5e-5},
		{"tested", RatioSample(tested), 0.8497087, 0.008386297, 5e-10},
	} {
		se := math.Sqrt(tt.s.Variance()/15) * whole15
		if !near(tt.s.Center(), tt.center, 5e-7) || !near(se, tt.se, tt.digit) {
			t.Errorf("%s: %v ± %v, want %v ± %v", tt.name, tt.s.Center(), se, tt.center, tt.se)
		}
	}
}

// The manual of svyquantile(~api00, dclus1, c(.25,.5,.75), ci=TRUE), version
// 3.x: 551.75 in (493.2835, 622.6495), 652 in (564.3250, 710.8375), 717.5 in
// (696.0000, 761.1355), by Woodruff's interval of the clustered share. It
// interpolates between schools, we within buckets of two points.
func TestQuantile_survey(t *testing.T) {
	for _, tt := range []struct{ nu, center, low, high float64 }{
		{0.25, 551.75, 493.2835, 622.6495}, {0.5, 652, 564.3250, 710.8375}, {0.75, 717.5, 696.0000, 761.1355},
	} {
		s := latencies(t, tt.nu, schools)
		at, _ := s.Distribution.At()
		sd, want := s.Distribution.moved(at, s.share()*whole15), (tt.high-tt.low)/(2*woodruff)
		if math.Abs(s.Center()-tt.center) > 2 || math.Abs(sd/want-1) > 0.05 {
			t.Errorf("quantile %v: %v ± %v, want %v ± %v", tt.nu, s.Center(), sd, tt.center, want)
		}
	}
}
