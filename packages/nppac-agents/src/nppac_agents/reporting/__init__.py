"""Reading a run: its report, the pictures in it, and the comparison of runs.

`report.write_report` writes the page of one run, `comparison` compares methods over seeds; both
read files only.
"""
