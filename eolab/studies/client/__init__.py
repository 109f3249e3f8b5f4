"""The face of studies in a notebook: tune, a study, refits and exports."""
