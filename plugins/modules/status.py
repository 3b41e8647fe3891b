DOCUMENTATION = """
module: status
short_description: stub
"""
