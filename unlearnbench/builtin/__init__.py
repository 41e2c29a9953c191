"""The plug-ins that come with unlearnbench, registered through the same hooks as anyone's."""
