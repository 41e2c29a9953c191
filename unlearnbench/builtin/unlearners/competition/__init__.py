"""Methods of the NeurIPS 2023 competition on machine unlearning."""
