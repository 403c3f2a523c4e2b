import Config

# Tests take whatever port is free.
default = if config_env() == :test, do: "0", else: "4000"
config :chat, port: "PORT" |> System.get_env(default) |> String.to_integer()
