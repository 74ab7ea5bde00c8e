"""The plan runner: one transition function over rows, resumable wherever it was killed.

`machine` moves, `course` says what becomes of a whole run, `starting` how one begins, `runner` is the flow,
`people` what people do to a run, `drill` a run without effects.
"""
