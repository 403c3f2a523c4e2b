defmodule Hello.Socket do
  @moduledoc false

  def init(req, state), do: {:cowboy_websocket, req, state}

  def websocket_handle({:text, name}, state), do: {[text: "Hello " <> name], state}
  def websocket_handle(_frame, state), do: {[], state}

  def websocket_info(_message, state), do: {[], state}
end
