"""Published and contract-computed cases: the truth that the models are tested against."""
