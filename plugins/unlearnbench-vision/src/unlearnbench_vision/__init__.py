"""Target models of unlearnbench for images: networks of torchvision, trained from scratch."""
