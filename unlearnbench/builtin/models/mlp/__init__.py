"""The fully connected network as a target model."""
