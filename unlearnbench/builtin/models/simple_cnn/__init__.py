"""The small convolutional network as a target model."""
