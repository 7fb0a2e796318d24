"""From scenarios and hosts to a report: plan, collect, judge, run. The only place that catches everything."""
