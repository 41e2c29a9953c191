"""NegGrad+, an unlearner of unlearnbench."""
