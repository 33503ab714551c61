"""Why a model answers as it does: exact Shapley values of what `model.json` holds, in the unit of its score.

Trees by the path-dependent expectation (Lundberg et al., From local explanations to global understanding with
explainable AI for trees, Nature Machine Intelligence 2, 2020): a column that isn't known is averaged over by how many
of the fit's rows went either way. Linear parts in closed form: coefficient times distance from the mean. Both are sums,
so that a weighted sum of them, and a calibration in log-odds, keeps them exact.
"""
