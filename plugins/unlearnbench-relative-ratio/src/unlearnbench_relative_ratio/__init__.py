"""An attack of unlearnbench that ranks a record's likelihood ratio among those of a population."""
