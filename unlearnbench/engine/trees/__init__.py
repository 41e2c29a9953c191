"""Decision trees and forests: grown together, mended, asked together."""
