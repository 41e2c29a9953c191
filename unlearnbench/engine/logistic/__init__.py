"""Logistic regression solved to its optimum, many models that leave records out of one base together.

From the bottom up: ``objective`` (gradient and Hessian), ``newton`` (one model), ``direction`` (quasi-Newton steps of
many models), ``solve`` (what the model calls).
"""
