"""A data set and a target model of unlearnbench: wines, and their nearest neighbours."""
