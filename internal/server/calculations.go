package server

// The shapes of the calculator, for the API document alone: its own room reads
// and writes them (TestCalculationsAreDescribed holds both together).

// calculated describes a command of the calculator.
func calculated(question, answer any) described {
	return described{body: []string{"application/json"}, taken: question, status: 200, media: "application/json", answer: answer, fault: calculationFault{}}
}

type calculationFault struct {
	Error struct {
		Code    string `json:"code" enum:"zero_variance,too_few_units,bad_input,unbounded" example:"bad_input"`
		Field   string `json:"field,omitempty" example:"control.n"`
		Message string `json:"message"`
	} `json:"error"`
}

// armIn is every form of an arm: which members it has follows from its type.
type armIn struct {
	Type       string  `json:"type" enum:"mean,proportion,ratio,cluster,quantile,events"`
	N          int64   `json:"n,omitempty" doc:"units; of a quantile the values"`
	Sum        float64 `json:"sum,omitempty" doc:"of the units' values; of a proportion the units that had the outcome"`
	SumSquares float64 `json:"sum_squares,omitempty" doc:"of the units' values, with all their digits"`

	NumSum           float64 `json:"num_sum,omitempty" doc:"of a ratio's numerators"`
	NumSumSquares    float64 `json:"num_sum_squares,omitempty"`
	DenSum           float64 `json:"den_sum,omitempty" doc:"of a ratio's denominators"`
	DenSumSquares    float64 `json:"den_sum_squares,omitempty"`
	NumDenSumProduct float64 `json:"num_den_sum_product,omitempty"`

	PostSum           float64 `json:"post_sum,omitempty" doc:"with a covariate: of the units' values; of a ratio post_num_… and post_den_… likewise, and all six products"`
	PostSumSquares    float64 `json:"post_sum_squares,omitempty"`
	PreSum            float64 `json:"pre_sum,omitempty" doc:"of the units' values before their first exposure"`
	PreSumSquares     float64 `json:"pre_sum_squares,omitempty"`
	PostPreSumProduct float64 `json:"post_pre_sum_product,omitempty"`

	Clusters    int64   `json:"clusters,omitempty" doc:"of units, which were randomised whole"`
	NSum        int64   `json:"n_sum,omitempty" doc:"units of all clusters"`
	NSumSquares float64 `json:"n_sum_squares,omitempty" doc:"of the clusters' units"`
	SumNProduct float64 `json:"sum_n_product,omitempty" doc:"of each cluster's sum and its units"`

	Nu       float64 `json:"nu,omitempty" doc:"which quantile: 0.9"`
	NStar    float64 `json:"n_star,omitempty" doc:"values that the bounds were taken for; n without it"`
	Quantile float64 `json:"quantile_hat,omitempty" doc:"the estimate"`
	Lower    float64 `json:"lower,omitempty" doc:"sample quantile at nu − 1.96 √(nu (1 − nu)/n_star)"`
	Upper    float64 `json:"upper,omitempty"`

	Count    int64   `json:"count,omitempty" doc:"of events, such as failures"`
	Exposure float64 `json:"exposure,omitempty" doc:"that they come from: units, requests, hours"`
}

type stratumIn struct {
	Control   armIn `json:"control"`
	Treatment armIn `json:"treatment"`
}

// dataIn is two arms, or strata of two arms.
type dataIn struct {
	Control   *armIn      `json:"control,omitempty"`
	Treatment *armIn      `json:"treatment,omitempty"`
	Strata    []stratumIn `json:"strata,omitempty" doc:"instead of two arms: parts of the data within which the mixture of the arms was constant"`
}

// doubtOut is what every answer says of itself.
type doubtOut struct {
	Method      string   `json:"method"`
	Assumptions []string `json:"assumptions"`
	Warnings    []string `json:"warnings"`
}

type compareIn struct {
	dataIn
	Relative    bool      `json:"relative,omitempty" doc:"the effect as a share of the control mean"`
	Alpha       float64   `json:"alpha,omitempty" doc:"error of the interval and the test; 0.05 without it"`
	Side        string    `json:"side,omitempty" enum:"two,greater,less"`
	Inference   string    `json:"inference,omitempty" enum:"fixed,always-valid,bayes,linear-model,group-sequential"`
	NStar       float64   `json:"n_star,omitempty" doc:"units that the always-valid interval is sharpest at"`
	Margin      float64   `json:"margin,omitempty" doc:"or the effect that it is sharpest for"`
	Power       float64   `json:"power,omitempty" doc:"with the margin; 0.8 without it"`
	Prior       *priorIn  `json:"prior,omitempty" doc:"of the inference bayes; null: none"`
	Covariate   string    `json:"covariate,omitempty" enum:"arm-specific,pooled,none"`
	Information []float64 `json:"information,omitempty" doc:"of the inference group-sequential: at the looks so far, as fractions of what was planned"`
	Spending    string    `json:"spending,omitempty" enum:"obrien-fleming,pocock,power,hsd"`
	Rho         float64   `json:"rho,omitempty" doc:"of the spending power; 2 without it"`
	Gamma       float64   `json:"gamma,omitempty" doc:"of the spending hsd"`
	Design      string    `json:"design,omitempty" enum:"pocock,obrien-fleming" doc:"a classical design, instead of spending"`
	Looks       int       `json:"looks,omitempty" doc:"that were planned, of a design"`
	Compat      string    `json:"compat,omitempty" enum:"gbstats,posthog,statsig,eppo,spotify" doc:"the formulae of another platform"`
}

type priorIn struct {
	Mean     float64 `json:"mean"`
	SD       float64 `json:"sd"`
	Relative bool    `json:"relative,omitempty" doc:"both are shares of the control mean"`
}

type compareOut struct {
	State             string   `json:"state,omitempty" enum:"breached,harmed,unknown" doc:"of counts that are answered as by events: there is no estimate then, and the bounds are of the log ratio of the rates"`
	Estimate          *float64 `json:"estimate,omitempty" doc:"treatment minus control"`
	SE                *float64 `json:"se,omitempty"`
	Low               *float64 `json:"ci_low" doc:"null: open"`
	High              *float64 `json:"ci_high" doc:"null: open"`
	P                 float64  `json:"p_value"`
	Statistic         *float64 `json:"statistic,omitempty"`
	DF                *float64 `json:"df,omitempty"`
	LogE              *float64 `json:"log_e,omitempty"`
	LogTwo            *float64 `json:"log_e_two_sided,omitempty" doc:"of counts that are answered as by events"`
	ControlMean       *float64 `json:"control_mean,omitempty"`
	TreatmentMean     *float64 `json:"treatment_mean,omitempty"`
	Theta             *float64 `json:"theta,omitempty" doc:"with a covariate: what the difference of the arms before was multiplied by and taken off"`
	ControlAdjusted   *float64 `json:"control_adjusted,omitempty"`
	TreatmentAdjusted *float64 `json:"treatment_adjusted,omitempty"`
	VarianceReduction *float64 `json:"variance_reduction,omitempty" doc:"share of the variance that is gone"`
	Critical          *float64 `json:"z_critical,omitempty" doc:"of the inference group-sequential: what the statistic has to reach"`
	Spent             *float64 `json:"spent,omitempty"`
	Crossed           *bool    `json:"crossed,omitempty"`
	Expected          *float64 `json:"expected,omitempty" doc:"of the inference bayes"`
	SD                *float64 `json:"sd,omitempty"`
	ChanceToWin       *float64 `json:"chance_to_win,omitempty"`
	RiskControl       *float64 `json:"risk_control,omitempty"`
	RiskTreatment     *float64 `json:"risk_treatment,omitempty"`
	doubtOut
}

type guardrailIn struct {
	dataIn
	Margin    float64 `json:"margin" doc:"harm that is tolerated: a share of the control mean"`
	Absolute  bool    `json:"absolute,omitempty" doc:"margin and detect are in the metric's unit"`
	Detect    float64 `json:"detect,omitempty" doc:"harm to be sharpest for; the margin without it"`
	Direction string  `json:"direction,omitempty" enum:"increase,decrease" doc:"which way is better"`
	Alpha     float64 `json:"alpha,omitempty"`
	Power     float64 `json:"power,omitempty"`
	Inference string  `json:"inference,omitempty"`
}

type guardrailOut struct {
	State     string   `json:"state" enum:"breached,harmed,safe,unknown"`
	Harmed    bool     `json:"harmed"`
	Estimate  *float64 `json:"estimate" doc:"null: control has no events"`
	Relative  bool     `json:"relative"`
	SE        *float64 `json:"se"`
	Low       *float64 `json:"ci_low"`
	High      *float64 `json:"ci_high"`
	Collected float64  `json:"information"`
	Needed    *float64 `json:"information_needed" doc:"null: unknown"`
	E         float64  `json:"e_value"`
	LogE      float64  `json:"log_e"`
	LogHarm   float64  `json:"log_e_harm"`
	LogSafe   float64  `json:"log_e_safe"`
	doubtOut
}

type failuresIn struct {
	Counts  []int64   `json:"counts" minItems:"1" maxItems:"2" doc:"failing units of control and treatment; with rate, of treatment alone"`
	Traffic []float64 `json:"traffic,omitempty" minItems:"2" maxItems:"2" doc:"shares of both; equal without it"`
	Margin  float64   `json:"margin,omitempty" doc:"tolerated ratio of the rates; 1 without it"`
	K       float64   `json:"k,omitempty" doc:"prior failures; 2 without it"`
	Alpha   float64   `json:"alpha,omitempty"`
	Rate    float64   `json:"rate,omitempty" doc:"share of the units that may fail, declared: there is no control"`
	Units   int64     `json:"units,omitempty" doc:"with rate: how many the failing units are of"`
}

type failuresOut struct {
	State    string   `json:"state" enum:"breached,harmed,safe,unknown"`
	LogE     float64  `json:"log_e"`
	P        float64  `json:"p_value"`
	Estimate *float64 `json:"estimate,omitempty" doc:"with rate: share of the units that failed"`
	Low      *float64 `json:"ci_low" doc:"of the log ratio of the rates; with rate, of the ratio to that, each side at alpha"`
	High     *float64 `json:"ci_high"`
	LogTwo   *float64 `json:"log_e_two_sided,omitempty" doc:"of two arms"`
	doubtOut
}

type epochIn struct {
	Observed []int64   `json:"observed" doc:"units of each arm"`
	Weights  []float64 `json:"weights"`
}

type srmIn struct {
	Observed       []int64   `json:"observed,omitempty" doc:"units of each arm"`
	Weights        []float64 `json:"weights,omitempty" doc:"whole numbers are a ratio; fractions that add up to neither 1 nor 100 get a warning; 0: nobody is to be there"`
	Method         string    `json:"method,omitempty" enum:"chi-square,sequential"`
	K              float64   `json:"k,omitempty" doc:"prior units; 100 without it"`
	Alpha          float64   `json:"alpha,omitempty" doc:"0.001 without it"`
	Epochs         []epochIn `json:"epochs,omitempty" doc:"instead of observed: periods of one allocation each"`
	Data           []any     `json:"data,omitempty" doc:"instead of observed: assignments in their order, as the index of the arm or the units of each arm"`
	DirichletAlpha any       `json:"dirichlet_alpha,omitempty" doc:"prior units of each arm, with data"`
	Compat         string    `json:"compat,omitempty" enum:"gbstats" doc:"as another program says it, of the counts of one epoch"`
}

type srmOut struct {
	Statistic *float64     `json:"statistic,omitempty"`
	DF        *int         `json:"df,omitempty"`
	LogE      any          `json:"log_e,omitempty" doc:"sequential; a list where data are given"`
	P         float64      `json:"p_value"`
	CI        [][2]float64 `json:"ci,omitempty" doc:"of each arm's share"`
	Leaked    int64        `json:"leaked" doc:"units in arms of weight 0"`
	Alarm     bool         `json:"alarm"`
	doubtOut
}

type adjustIn struct {
	P      []float64 `json:"p,omitempty"`
	E      []float64 `json:"e,omitempty" doc:"e-values, instead of p-values"`
	Method string    `json:"method,omitempty" enum:"bonferroni,holm,hochberg,bh,by,ebh" doc:"holm without it, of e-values ebh"`
	Alpha  float64   `json:"alpha,omitempty"`
}

type adjustOut struct {
	P        []float64 `json:"p_adjusted"`
	Rejected []bool    `json:"rejected"`
	Level    float64   `json:"level" doc:"error of each interval that agrees with the adjustment"`
	doubtOut
}

type powerIn struct {
	Metric    metricIn  `json:"metric"`
	Effect    float64   `json:"effect,omitempty" doc:"that is really there: a share of the level"`
	Absolute  bool      `json:"absolute,omitempty" doc:"effect and margin are in the metric's unit"`
	Margin    float64   `json:"margin,omitempty" doc:"harm to exclude (non-inferiority)"`
	Direction string    `json:"direction,omitempty" enum:"increase,decrease" doc:"which way is better, with the margin"`
	Alpha     float64   `json:"alpha,omitempty"`
	Side      string    `json:"side,omitempty" enum:"two,greater,less"`
	Arms      int       `json:"arms,omitempty" doc:"2 without it"`
	Weights   []float64 `json:"weights,omitempty" doc:"of control and every treatment"`
	N         any       `json:"n,omitempty" doc:"units of control, or a list of those of every arm; without it they are the answer"`
	Power     float64   `json:"power,omitempty" doc:"that is wanted; 0.8 without it"`
	Inference string    `json:"inference,omitempty" enum:"fixed,always-valid,group-sequential"`
	Looks     int       `json:"looks,omitempty"`
	PerDay    float64   `json:"per_day,omitempty" doc:"new units of all arms on a day: asks for the days"`
}

type metricIn struct {
	Kind      string     `json:"kind" enum:"proportion,mean,ratio,cluster,quantile,events"`
	Mean      float64    `json:"mean,omitempty"`
	Rate      float64    `json:"rate,omitempty" doc:"of a proportion or of events, instead of the mean"`
	SD        float64    `json:"sd,omitempty" doc:"of one unit's value"`
	Nu        float64    `json:"nu,omitempty" doc:"which quantile"`
	Density   float64    `json:"density,omitempty" doc:"of the values at the quantile, instead of sd"`
	Cluster   *clusterIn `json:"cluster,omitempty" doc:"that units are assigned in"`
	Explained float64    `json:"explained,omitempty" doc:"share of the variance that a covariate explains"`
}

type clusterIn struct {
	Mean float64 `json:"mean" doc:"units of a cluster"`
	CV   float64 `json:"cv,omitempty" doc:"coefficient of variation of that number"`
	ICC  float64 `json:"icc" doc:"share of the variance that is between clusters"`
}

type powerOut struct {
	Power     float64 `json:"power"`
	N         []int64 `json:"n" doc:"of every arm, control first"`
	Total     int64   `json:"total"`
	Clusters  []int64 `json:"clusters,omitempty"`
	MDE       float64 `json:"mde" doc:"smallest effect that is seen, or margin that is excluded"`
	Inflation float64 `json:"inflation" doc:"units against those of one look at the end"`
	Days      float64 `json:"days,omitempty" doc:"until so many units have come"`
	doubtOut
}

type boundaryIn struct {
	Alpha       float64   `json:"alpha,omitempty" doc:"of all sides together; 0.05 without it"`
	Sides       int       `json:"sides,omitempty" doc:"1 without it, of a classical design 2"`
	Information []float64 `json:"information,omitempty" doc:"at the looks, as fractions of what is planned"`
	Looks       int       `json:"looks,omitempty" doc:"at equal steps, instead of information"`
	Spending    string    `json:"spending,omitempty" enum:"obrien-fleming,pocock,power,hsd"`
	Rho         float64   `json:"rho,omitempty" doc:"of the spending power; 2 without it"`
	Gamma       float64   `json:"gamma,omitempty" doc:"of the spending hsd"`
	Design      string    `json:"design,omitempty" enum:"pocock,obrien-fleming" doc:"a classical design, instead of spending"`
	Beta        float64   `json:"beta,omitempty" doc:"chance of missing what is there: asks for the inflation"`
	Stopped     *stopIn   `json:"stopped,omitempty" doc:"where the test ended: asks for what it says then"`
}

type stopIn struct {
	Look int     `json:"look" doc:"counted from 1"`
	Z    float64 `json:"z"`
}

type boundaryOut struct {
	Information []float64   `json:"information"`
	Z           []float64   `json:"z" doc:"that Z must exceed at each look"`
	Spent       []float64   `json:"spent" doc:"error used up by then"`
	Constant    *float64    `json:"constant,omitempty" doc:"of a classical design"`
	Inflation   *float64    `json:"inflation,omitempty" doc:"information against that of one look"`
	Stopped     *stoppedOut `json:"stopped,omitempty"`
	doubtOut
}

type stoppedOut struct {
	P        float64 `json:"p_value" doc:"in the stage-wise order"`
	Estimate float64 `json:"estimate" doc:"median unbiased, as what Z is expected to be at the end"`
	Low      float64 `json:"ci_low"`
	High     float64 `json:"ci_high"`
}
